#pragma once
// Values and texts in one message. Values are copied as they lie in memory: all ranks of a job run one
// program on processors of one kind.

#include <cassert>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace convoy::comm {

class Packer {
 public:
  template <class Value>
  requires std::is_trivially_copyable_v<Value>
  void put(const Value& value) { put_bytes(std::as_bytes(std::span(&value, 1))); }
  template <class Value>
  requires std::is_trivially_copyable_v<Value>
  void put(const std::vector<Value>& values) {
    put(values.size());
    put_bytes(std::as_bytes(std::span(values)));
  }
  void put_text(std::string_view text) {
    put(text.size());
    message_.append(text);
  }
  void put_texts(const std::vector<std::string>& texts) {
    put(texts.size());
    for (const std::string& text : texts) put_text(text);
  }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  void put_bytes(std::span<const std::byte> bytes) {
    message_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  std::string message_;
};

/// Reads a Packer's message: the same types in the same order. The message must outlive the reader.
class Unpacker {
 public:
  explicit Unpacker(std::string_view message) : rest_(message) {}
  explicit Unpacker(std::span<const std::byte> message)
      : rest_(reinterpret_cast<const char*>(message.data()), message.size()) {}

  template <class Value>
  requires std::is_trivially_copyable_v<Value>
  [[nodiscard]] Value get() {
    Value value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  template <class Value>
  requires std::is_trivially_copyable_v<Value>
  [[nodiscard]] std::vector<Value> get_vector() {
    std::vector<Value> values(get<std::size_t>());
    const std::string_view bytes = take(values.size() * sizeof(Value));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  [[nodiscard]] std::string get_text() { return std::string(take(get<std::size_t>())); }
  [[nodiscard]] std::vector<std::string> get_texts() {
    std::vector<std::string> texts(get<std::size_t>());
    for (std::string& text : texts) text = get_text();
    return texts;
  }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t bytes) {
    assert(bytes <= rest_.size());
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace convoy::comm
