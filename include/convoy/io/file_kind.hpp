#pragma once
// What a file is, by its first bytes: for messages about files that are no HDF5 files.

#include <string>
#include <string_view>

namespace convoy::io {

/// What `path` is and what to do with it, e.g. "it is compressed by gzip; gunzip it first"; empty for HDF5
/// files and unknown content. Throws IoError if the file cannot be read.
[[nodiscard]] std::string kind_of_file(const std::string& path);

/// The same of content that begins with `head` (512 bytes, or all): only what is sure.
[[nodiscard]] std::string kind_of_content(std::string_view head);

/// "a folder", "a pipe", "a socket" or "a device"; empty for a file, or if there is nothing.
[[nodiscard]] std::string special_file(const std::string& path);
/// Throws IoError if `path`, which exists, is a folder, a pipe, a socket or a device: opening one may wait
/// for ever. Does nothing if it does not exist.
void require_regular_file(const std::string& path);

}  // namespace convoy::io
