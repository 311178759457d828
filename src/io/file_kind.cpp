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
    Kind{"\x93NUMPY"sv,
         "an array of numpy (.npy); 'convoy import npz --images X.npy --labels Y.npy' reads it"},
    Kind{"MATLAB 7.3 MAT-file"sv, "a file of MATLAB 7.3; 'convoy import mat' reads it"},
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
    Kind{"PAR1"sv, "a Parquet file; pandas.read_parquet and h5py or numpy.savez convert it"},
    Kind{"ARROW1"sv, "an Arrow file; pyarrow and h5py or numpy.savez convert it"},
    Kind{"SIMPLE  ="sv, "a FITS file; astropy.io.fits and h5py convert it"},
};

bool is_webp(std::string_view head) {
  return head.starts_with("RIFF") && head.size() > 12 && head.substr(8, 4) == "WEBP";
}

bool is_bmp(std::string_view head) {
  return head.starts_with("BM") && head.size() > 10 && head.substr(6, 4) == "\0\0\0\0"sv;
}

// Two zeros, a type of numbers, the number of extents.
bool is_idx(std::string_view head) {
  constexpr std::string_view kTypes = "\x08\x09\x0b\x0c\x0d\x0e";
  return head.size() > 8 && head.starts_with("\0\0"sv) && kTypes.find(head[2]) != std::string_view::npos &&
         head[3] >= 1 && head[3] <= 4;
}

// Protocols 2 to 5 begin with their number.
bool is_pickle(std::string_view head) {
  return head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
}

// Whole records of CIFAR-10 or CIFAR-100: a label or two, then 3x32x32 bytes.
bool is_cifar(const Descriptor& file, std::string_view head) {
  constexpr std::int64_t kImage = 3072;
  const auto holds = [&](std::int64_t labels, unsigned char most) {
    return file.size() >= 100 * (kImage + labels) && file.size() % (kImage + labels) == 0 &&
           static_cast<unsigned char>(head[0]) < most;
  };
  return holds(1, 10) || holds(2, 20);
}

// What a file compressed by gzip is, by its name.
std::string gzip_words(const std::string& path) {
  const std::string name = in_lower_case(path.substr(path.rfind('/') + 1));
  if (name.ends_with(".tar.gz") || name.ends_with(".tgz")) return "it is a tar archive; tar -xzf unpacks it";
  if (name.find("idx") != std::string::npos || name.find("ubyte") != std::string::npos)
    return "it is compressed by gzip; 'convoy import idx' (or mnist) reads IDX files as they are";
  return {};
}

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

std::string kind_of_content(std::string_view head) {
  if (head.empty()) return "it is empty; its download or its writer did not end";
  for (const Kind& kind : kKinds)
    if (head.starts_with(kind.begin)) return fmt::format("it is {}", kind.words);
  if (is_webp(head)) return "it is a WebP image; 'convoy import folder' packs folders of images";
  if (is_bmp(head)) return "it is a BMP image; 'convoy import folder' packs folders of images";
  if (is_pickle(head))
    return "it is a Python pickle; write its arrays by h5py or numpy.savez (of CIFAR, 'convoy import' reads "
           "the binary version)";
  if (is_tar(head)) return "it is a tar archive; tar -xf unpacks it";
  if (is_html(head)) return "it is an HTML page: the server answered the download with a page";
  return {};
}

std::string kind_of_file(const std::string& path) {
  const Descriptor file(path, O_RDONLY, "open");
  std::array<char, 512> bytes{};
  const std::string_view head(bytes.data(),
                              static_cast<std::size_t>(file.read(bytes.data(), bytes.size(), 0)));
  if (head.starts_with("\x1f\x8b"))
    if (std::string words = gzip_words(path); !words.empty()) return words;
  if (std::string words = kind_of_content(head); !words.empty()) return words;
  if (is_idx(head)) return "it is an IDX file, as MNIST's; 'convoy import idx' reads it";
  if (is_cifar(file, head))
    return "it may be records of CIFAR; 'convoy import cifar10' or cifar100 reads them";
  if (is_text(head))
    return "it is a text file; if it is a table of images and their classes, 'convoy import folder --labels' "
           "reads it";
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
