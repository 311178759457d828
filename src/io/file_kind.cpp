#include "convoy/io/file_kind.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/descriptor.hpp"

namespace convoy::io {
namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view begin;
  std::string_view words;
};
constexpr std::array kKinds{
    Kind{"\x1f\x8b"sv, "compressed by gzip; gunzip it first"},
    Kind{"BZh"sv, "compressed by bzip2; bunzip2 it first"},
    Kind{"\xfd"
         "7zXZ"sv,
         "compressed by xz; unxz it first"},
    Kind{"\x28\xb5\x2f\xfd"sv, "compressed by zstd; unzstd it first"},
    Kind{"PK\x03\x04"sv,
         "a ZIP archive, such as numpy's .npz; 'convoy import npz' reads arrays, unzip unpacks others"},
    Kind{"\x93NUMPY"sv, "an array of numpy (.npy); 'convoy import npz' reads it"},
    Kind{"MATLAB 5.0 MAT-file"sv,
         "a file of MATLAB 5; save it with save(…, '-v7.3'), which 'convoy import mat' reads, or by "
         "scipy.io.loadmat and h5py"},
    Kind{"version https://git-lfs"sv,
         "a pointer of Git LFS, without the content; 'git lfs pull' fetches that"},
    Kind{"CDF\x01"sv, "a file of classic NetCDF; 'nccopy -k nc4' makes HDF5 of it"},
    Kind{"CDF\x02"sv, "a file of classic NetCDF; 'nccopy -k nc4' makes HDF5 of it"},
    Kind{"\x0e\x03\x13\x01"sv, "a file of HDF4; h4toh5 converts it"},
    Kind{"\x89PNG"sv, "a PNG image; 'convoy import folder' packs folders of images"},
    Kind{"\xff\xd8\xff"sv, "a JPEG image; 'convoy import folder' packs folders of images"},
    Kind{"II*\0"sv, "a TIFF image; 'convoy import folder' packs folders of images"},
    Kind{"MM\0*"sv, "a TIFF image; 'convoy import folder' packs folders of images"},
    Kind{"GIF8"sv, "a GIF image; 'convoy import folder' packs folders of images"},
};

// Classic tar has its magic after the first header's name and mode.
bool is_tar(std::string_view head) {
  constexpr std::size_t kMagicAt = 257;
  return head.size() > kMagicAt && head.substr(kMagicAt).starts_with("ustar");
}

bool is_html(std::string_view head) {
  const std::string text = in_lower_case(head.substr(0, 256));
  const auto first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == std::string::npos) return false;
  const std::string_view begin = std::string_view(text).substr(first);
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}

bool is_text(std::string_view head) {
  return std::ranges::all_of(
      head, [](unsigned char ch) { return ch >= ' ' || ch == '\n' || ch == '\r' || ch == '\t'; });
}

}  // namespace

std::string kind_of_file(const std::string& path) {
  const Descriptor file(path, O_RDONLY, "open");
  std::array<char, 512> bytes{};
  const std::string_view head(bytes.data(),
                              static_cast<std::size_t>(file.read(bytes.data(), bytes.size(), 0)));
  if (head.empty()) return "it is empty; its download or its writer did not end";
  for (const Kind& kind : kKinds)
    if (head.starts_with(kind.begin)) return fmt::format("it is {}", kind.words);
  if (is_tar(head)) return "it is a tar archive; tar -xf unpacks it";
  if (is_html(head)) return "it is an HTML page: the server answered the download with a page";
  if (is_text(head)) return "it is a text file";
  return {};
}

std::string special_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return {};
  return S_ISDIR(status.st_mode)    ? "a folder"
         : S_ISFIFO(status.st_mode) ? "a pipe"
         : S_ISSOCK(status.st_mode) ? "a socket"
                                    : "a device";
}

void require_regular_file(const std::string& path) {
  if (const std::string kind = special_file(path); !kind.empty())
    throw IoError(fmt::format("cannot read {} (it is {}); name a file", path, kind));
}

}  // namespace convoy::io
