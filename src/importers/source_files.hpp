#pragma once
// Files of a published data set in a folder. Private to the importers room.

#include <string>

#include "convoy/io/byte_stream.hpp"

namespace convoy::importers {

using io::ByteStream;

/// Opens `folder`/`name` or `folder`/`name`.gz. Throws ConfigError if both are missing, or the folder; it
/// says what lies there, and `hint`, if anything does.
[[nodiscard]] ByteStream open_either(const std::string& folder, const std::string& name,
                                     const std::string& hint = {});

/// "; there are a, b and 3 more", the files and folders of a folder; empty if there are none.
[[nodiscard]] std::string what_lies_in(const std::string& folder);

}  // namespace convoy::importers
