// SPDX-License-Identifier: Apache-2.0
#include "common/model/torch_writer.h"

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/blobs.h"
#include "common/model/tensor_view.h"

namespace hilum {
namespace {

std::string LittleEndian(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>(number >> (8 * i)));
  }
  return text;
}

// CRC-32 as zip has it (APPNOTE 4.4.7).
uint32_t Crc32(absl::string_view bytes) {
  static const std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t entry = i;
      for (int bit = 0; bit < 8; ++bit) {
        entry = entry >> 1 ^ (entry & 1 ? 0xedb88320u : 0);
      }
      table[i] = entry;
    }
    return table;
  }();
  uint32_t crc = ~0u;
  for (char byte : bytes) {
    crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  }
  return ~crc;
}

std::string PickledText(absl::string_view text) {
  return absl::StrCat("X", LittleEndian(text.size(), 4), text);
}

// LONG1: the only integer opcode whose limit is large enough.
std::string PickledInteger(int64_t number) {
  return absl::StrCat("\x8a\x08",
                      LittleEndian(static_cast<uint64_t>(number), 8));
}

std::string PickledTuple(const std::vector<int64_t>& numbers) {
  std::string text = "(";
  for (int64_t number : numbers) text += PickledInteger(number);
  return text + "t";
}

constexpr absl::string_view kEmptyOrderedDict = "ccollections\nOrderedDict\n)R";

// Pickles in protocol 2, with opcodes that torch's restricted reader knows. A
// tensor: _rebuild_tensor_v2(storage, offset, size, stride, requires_grad,
// hooks).
std::string PickledStateDict(const Architecture& architecture) {
  std::string text = absl::StrCat("\x80\x02", kEmptyOrderedDict, "(");
  int key = 0;
  for (const TensorSpec& spec : architecture.tensors) {
    absl::StrAppend(
        &text, PickledText(spec.name), "ctorch._utils\n_rebuild_tensor_v2\n((",
        PickledText("storage"), "ctorch\nFloatStorage\n",
        PickledText(absl::StrCat(key++)), PickledText("cpu"),
        PickledInteger(spec.size()), "tQ", PickledInteger(0),
        PickledTuple(spec.shape), PickledTuple(RowMajorStrides(spec.shape)),
        "\x89", kEmptyOrderedDict, "tR");
  }
  return text + "u.";
}

// Builds a zip archive in pieces, in the order of Add; End closes it. Source:
// PKWARE's APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
class ZipPieces {
 public:
  // `content` must outlive the pieces.
  void Add(absl::string_view name, absl::string_view content) {
    // Storages begin at multiples of 64 bytes, as in torch's own files: an
    // extra field of zeros makes up the difference.
    const uint64_t begin = at_ + 30 + name.size() + 4;
    const uint64_t padding = (64 - begin % 64) % 64;
    // Version 2.0, no flags, stored, 1 January 1980.
    const std::string common = absl::StrCat(
        LittleEndian(20, 2), LittleEndian(0, 2), LittleEndian(0, 2),
        LittleEndian(0, 2), LittleEndian(0x21, 2),
        LittleEndian(Crc32(content), 4), LittleEndian(content.size(), 4),
        LittleEndian(content.size(), 4), LittleEndian(name.size(), 2));
    absl::StrAppend(&directory_, "PK\x01\x02", LittleEndian(20, 2), common,
                    std::string(12, '\0'), LittleEndian(at_, 4), name);
    Own(absl::StrCat("PK\x03\x04", common, LittleEndian(4 + padding, 2), name,
                     "FB", LittleEndian(padding, 2),
                     std::string(padding, '\0')));
    Append(content);
    ++entries_;
  }

  void End() {
    const uint64_t at = at_;
    const std::string end = absl::StrCat(
        "PK\x05\x06", LittleEndian(0, 4), LittleEndian(entries_, 2),
        LittleEndian(entries_, 2), LittleEndian(directory_.size(), 4),
        LittleEndian(at, 4), LittleEndian(0, 2));
    Own(absl::StrCat(directory_, end));
  }

  // Returns whether the archive exceeds fields of 32 and 16 bits.
  bool too_large() const { return at_ >= 0xffffffffu || entries_ >= 0xffff; }
  const std::vector<absl::string_view>& pieces() const { return pieces_; }

 private:
  void Own(std::string text) {
    owned_.push_back(std::move(text));
    Append(owned_.back());
  }
  void Append(absl::string_view piece) {
    pieces_.push_back(piece);
    at_ += piece.size();
  }

  std::deque<std::string> owned_;  // elements stay where they are
  std::vector<absl::string_view> pieces_;
  std::string directory_;
  uint64_t at_ = 0;
  uint64_t entries_ = 0;
};

}  // namespace

absl::StatusOr<std::string> WriteTorchFile(const std::string& path,
                                           const Architecture& architecture,
                                           absl::Span<const float> values) {
  int64_t total = 0;
  for (const TensorSpec& spec : architecture.tensors) total += spec.size();
  if (static_cast<size_t>(total) != values.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", values.size(), " values for ",
                     architecture.name, ", which has ", total));
  }
  const std::string pickle = PickledStateDict(architecture);
  ZipPieces zip;
  zip.Add("archive/data.pkl", pickle);
  zip.Add("archive/byteorder", "little");
  size_t at = 0;
  for (size_t key = 0; key < architecture.tensors.size(); ++key) {
    const size_t size = static_cast<size_t>(architecture.tensors[key].size());
    zip.Add(absl::StrCat("archive/data/", key),
            BlobBytes(values.subspan(at, size)));
    at += size;
  }
  zip.Add("archive/version", "3\n");
  zip.End();
  if (zip.too_large()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": over 4 GiB, or over 65,534 tensors"));
  }
  HILUM_RETURN_IF_ERROR(WritePiecesAtomically(path, zip.pieces()));
  Sha256 digest;
  for (absl::string_view piece : zip.pieces()) digest.Update(piece);
  return digest.Finish();
}

}  // namespace hilum
