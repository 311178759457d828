#pragma once
// Which data set this is: hashes of its files, whose checksums are verified. Private to the data room. Called
// by one rank of a node, except fingerprint().

#include <string>
#include <vector>

#include "convoy/core/hash.hpp"
#include "convoy/data/load_observer.hpp"
#include "convoy/samples/options.hpp"

namespace convoy::data {

/// Checks that the files are intact, as far as their checksums tell; files without a verified one are first
/// read in a child process. Returns the digest of the data set. Throws DataError, IoError, and the error of
/// LoadProgress::add().
[[nodiscard]] std::string check_files(const std::vector<std::string>& files, const Options& options,
                                      LoadObserver* observer);

/// Digest of a data set whose files lead to `others`: includes their content, not their names.
[[nodiscard]] std::string digest_with(const std::string& digest, const std::vector<std::string>& others,
                                      const Options& options, LoadObserver* observer);

/// Hash of the files' sizes and first bytes (in Convoy's format: the user block, which contains the checksum
/// of the rest).
[[nodiscard]] Digest fingerprint(const std::vector<std::string>& files);

}  // namespace convoy::data
