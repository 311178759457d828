#pragma once
// Memory aligned to a cache line (and to the widest vector), zero filled.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace convoy {

/// Alignment of every numeric buffer, bytes.
inline constexpr std::size_t kAlignment = 64;

/// Asks the system for large pages: fewer page faults when the memory is written first, and fewer misses of
/// the TLB in kernels that read far apart.
void use_large_pages(void* memory, std::size_t bytes);

/// Owning array of `T`, aligned to kAlignment, zero filled at construction. Movable, not copyable.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::int64_t size) {
    if (const std::size_t bytes = allocate(size); bytes > 0)
      std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }

  /// Of unspecified content: the threads that write it first then place its pages.
  [[nodiscard]] static AlignedBuffer unspecified(std::int64_t size) {
    AlignedBuffer buffer;
    (void)buffer.allocate(size);
    return buffer;
  }

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::span<T> span() { return {data_.get(), static_cast<std::size_t>(size_)}; }
  [[nodiscard]] std::span<const T> span() const { return {data_.get(), static_cast<std::size_t>(size_)}; }
  T& operator[](std::int64_t i) { return data_.get()[i]; }
  const T& operator[](std::int64_t i) const { return data_.get()[i]; }

 private:
  static constexpr std::size_t kLarge = std::size_t{4} << 20;

  /// Returns the bytes allocated.
  std::size_t allocate(std::int64_t size) {
    size_ = size;
    if (size == 0) return 0;
    const std::size_t bytes =
        (static_cast<std::size_t>(size) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    data_.reset(static_cast<T*>(::operator new (bytes, std::align_val_t{kAlignment})));
    if (bytes >= kLarge) use_large_pages(data_.get(), bytes);
    return bytes;
  }

  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T[], Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace convoy
