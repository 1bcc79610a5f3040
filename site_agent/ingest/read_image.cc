// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/read_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/decode/decode.h"
#include "site_agent/imaging/decode/decode_mask.h"
#include "site_agent/imaging/dicom/decode_dicom.h"
#include "site_agent/imaging/dicom/patient_orientation.h"
#include "site_agent/imaging/dicom/select_pcxr.h"
#include "site_agent/imaging/upright/find_orientation.h"
#include "site_agent/ingest/object_uid.h"

namespace hilum {
namespace {

constexpr uint64_t kLargeImagePixels = 16ull << 20;
constexpr uint64_t kLargeFileBytes = 48ull << 20;

ABSL_CONST_INIT absl::Mutex large_images(absl::kConstInit);

// Lets threads hold large images only one at a time.
class LargeImageTurn {
 public:
  void TakeIf(bool large) {
    if (large && lock_ == std::nullopt) lock_.emplace(&large_images);
  }

 private:
  std::optional<absl::MutexLock> lock_;
};

absl::Status Unreadable(int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot be read: ", std::strerror(error)));
}

struct FileBytes {
  std::unique_ptr<char[]> bytes;  // not zeroed before they are read
  size_t size = 0;

  absl::string_view view() const { return {bytes.get(), size}; }
};

// Errors do not have the path, which the caller knows. UNAVAILABLE: cannot be
// read.
absl::StatusOr<FileBytes> ReadRegularFile(const std::string& path,
                                          LargeImageTurn& turn) {
  // O_NONBLOCK: a pipe is refused below instead of waited for.
  ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (fd.get() < 0 || fstat(fd.get(), &info) != 0) return Unreadable(errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError("not a regular file");
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size == 0) return absl::InvalidArgumentError("the file is empty");
  if (size > kMaxImageFileBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("over ", kMaxImageFileBytes >> 20, " MB"));
  }
  turn.TakeIf(size > kLargeFileBytes);
  FileBytes file{std::unique_ptr<char[]>(new char[size]), size};
  if (!ReadAt(fd.get(), 0, file.bytes.get(), size, path).ok()) {
    return absl::UnavailableError("cannot be read to its end");
  }
  return file;
}

uint64_t BigEndian(absl::string_view bytes, size_t at, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) {
    value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  }
  return value;
}

// Returns the pixels in the header of a PNG or JPEG; kMaxImagePixels if there
// is none. Used only for taking turns.
uint64_t PlainImagePixels(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\x89PNG") && bytes.size() >= 24) {
    return BigEndian(bytes, 16, 4) * BigEndian(bytes, 20, 4);
  }
  size_t at = 2;  // behind SOI: marker, length, ... (ITU-T T.81 B.1.1.4)
  while (at + 9 < bytes.size() && bytes[at] == '\xff') {
    const auto marker = static_cast<uint8_t>(bytes[at + 1]);
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
                       marker != 0xc8 && marker != 0xcc;
    if (frame) return BigEndian(bytes, at + 5, 2) * BigEndian(bytes, at + 7, 2);
    at += 2 + BigEndian(bytes, at + 2, 2);
  }
  return kMaxImagePixels;
}

ImageIds IdsOf(const DicomElements& elements) {
  return {.sop_instance = ObjectUid(elements.Text(0x00080018)),
          .accession = elements.Text(0x00080050),
          .patient = elements.Text(0x00100020),
          .issuer = elements.Text(0x00100021),
          .study = elements.Text(0x0020000d)};
}

std::string DigestOf(int rows, int columns, absl::string_view values) {
  Sha256 sha;
  sha.Update(absl::StrCat(rows, "x", columns, ":"));
  sha.Update(values);
  return sha.Finish();
}

absl::StatusOr<GrayImage> ReadDicom(absl::string_view bytes,
                                    const ReadOptions& options,
                                    LargeImageTurn& turn, ReadImage& out,
                                    std::optional<GrayRange>& range) {
  HILUM_ASSIGN_OR_RETURN(DicomFile file, ReadDicomFile(bytes));
  out.ids = IdsOf(file.elements);
  out.told = SaysOrientation(file.elements);
  HILUM_ASSIGN_OR_RETURN(PixelFormat format, ReadPixelFormat(file.elements));
  const PcxrVerdict verdict =
      SelectPcxr(file.elements, options.words == nullptr ? FilmWords::BuiltIn()
                                                         : *options.words);
  out.view = verdict.view;
  if (!verdict.accepted() && !options.chosen) {
    out.refusal = Refusal::kNotChosen;
    return absl::FailedPreconditionError(verdict.reason);
  }
  turn.TakeIf(uint64_t{static_cast<uint32_t>(format.rows)} * format.columns >
              kLargeImagePixels);
  HILUM_ASSIGN_OR_RETURN(StoredPixels pixels, DecodeStoredPixels(file));
  out.digest = DigestOf(format.rows, format.columns, pixels.bytes);
  return RenderDicom(file.elements, pixels, &range.emplace());
}

absl::StatusOr<GrayImage> ReadPlain(absl::string_view bytes,
                                    LargeImageTurn& turn, ReadImage& out) {
  turn.TakeIf(PlainImagePixels(bytes) > kLargeImagePixels);
  HILUM_ASSIGN_OR_RETURN(GrayImage image, DecodeImage(bytes));
  out.digest = DigestOf(
      image.rows, image.columns,
      absl::string_view(reinterpret_cast<const char*>(image.pixels.data()),
                        image.pixels.size() * sizeof(float)));
  return image;
}

void FillHistogram(const GrayImage& image, ReadImage& out) {
  std::array<uint64_t, kFingerprintBins> counts = {};
  uint64_t total = 0;
  for (int row = 0; row < image.rows; row += 4) {
    const float* from = &image.pixels[static_cast<size_t>(row) * image.columns];
    for (int i = 0; i < image.columns; ++i) {
      const int bin = static_cast<int>(from[i] * kFingerprintBins);
      ++counts[std::clamp(bin, 0, kFingerprintBins - 1)];
    }
    total += image.columns;
  }
  for (int bin = 0; bin < kFingerprintBins; ++bin) {
    out.histogram[bin] =
        static_cast<uint32_t>((counts[bin] * 1000000 + total / 2) / total);
  }
}

// Skips images smaller than the network's input: no radiograph is so small.
void LookAtOrientation(ReadImage& out) {
  if (std::min(out.whole.rows, out.whole.columns) < kOrientationSide) return;
  const OrientationVerdict verdict = FindOrientation(out.whole);
  const std::optional<Turn> turn = SurelyTurned(verdict, out.told);
  if (turn.has_value()) out.look = WhyNotUpright(verdict, *turn, out.told);
}

absl::Status AddMask(const GrayImage& image, const std::string& path,
                     LargeImageTurn& turn, ReadImage& out) {
  HILUM_ASSIGN_OR_RETURN(const FileBytes file, ReadRegularFile(path, turn));
  turn.TakeIf(PlainImagePixels(file.view()) > kLargeImagePixels);
  HILUM_ASSIGN_OR_RETURN(GrayImage mask, DecodeMask(file.view()));
  HILUM_RETURN_IF_ERROR(WhyMaskIsDoubtful(mask));
  HILUM_ASSIGN_OR_RETURN(out.segmented,
                         PrepareSegmentedWithin(image, mask, kKeptSide));
  out.lungs = LungBits(mask, out.whole.rows, out.whole.columns);
  out.lung_share = static_cast<double>(CountBits(out.lungs)) /
                   static_cast<double>(out.whole.pixels.size());
  return absl::OkStatus();
}

std::string MaskFor(const ReadOptions& options, const ImageIds& ids) {
  if (!options.mask.empty()) return options.mask;
  if (options.mask_folder.empty() || ids.sop_instance.empty()) return "";
  return MaskFileAt(
      absl::StrCat(options.mask_folder, "/", FileNameOfUid(ids.sop_instance)));
}

absl::Status Read(const std::string& path, const ReadOptions& options,
                  ReadImage& out) {
  LargeImageTurn turn;
  GrayImage image;
  std::optional<GrayRange> range;  // if decoding gave it
  {
    HILUM_ASSIGN_OR_RETURN(const FileBytes file, ReadRegularFile(path, turn));
    auto read = IsDicom(file.view())
                    ? ReadDicom(file.view(), options, turn, out, range)
                    : ReadPlain(file.view(), turn, out);
    if (!read.ok()) return read.status();
    image = *std::move(read);
  }
  HILUM_RETURN_IF_ERROR(CheckShowsSomething(image));
  out.notes = std::move(image.notes);
  out.rows = image.rows;
  out.columns = image.columns;
  out.image_digest = PixelDigest(image).substr(0, kRecordDigestBytes);
  HILUM_ASSIGN_OR_RETURN(
      out.whole,
      PrepareWholeWithin(image, kKeptSide, range ? &*range : nullptr));
  FillHistogram(image, out);
  LookAtOrientation(out);
  const std::string mask = MaskFor(options, out.ids);
  if (mask.empty()) return absl::OkStatus();
  const absl::Status masked = AddMask(image, mask, turn, out);
  if (masked.ok()) return masked;
  // The mask may be repaired while the image stays the same.
  return absl::UnavailableError(
      absl::StrCat("its lung mask: ", masked.message()));
}

}  // namespace

std::string MaskFileAt(const std::string& stem) {
  for (const char* extension : {".png", ".dcm"}) {
    std::string path = stem + extension;
    if (FileExists(path)) return path;
  }
  return "";
}

ReadImage ReadImageFile(const std::string& path, const ReadOptions& options) {
  ReadImage out;
  absl::Status status;
  try {
    status = Read(path, options, out);
  } catch (const std::exception& error) {
    status = absl::UnavailableError(absl::StrCat("no memory: ", error.what()));
  }
  if (status.ok()) return out;
  ReadImage refused{.refusal = out.refusal,
                    .reason = std::string(status.message()),
                    .ids = std::move(out.ids)};
  if (refused.refusal == Refusal::kNone) {
    refused.refusal =
        absl::IsUnavailable(status) ? Refusal::kUnreadable : Refusal::kDamaged;
  }
  return refused;
}

}  // namespace hilum
