// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/imaging/dicom/dicom_maker.h"

#include <utility>

namespace hilum {
namespace {

std::string LittleEndian(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
  return out;
}

std::string TagBytes(DicomTag tag) {
  return LittleEndian(tag >> 16, 2) + LittleEndian(tag & 0xffff, 2);
}

bool IsLong(absl::string_view vr) {
  return vr == "OB" || vr == "OW" || vr == "SQ" || vr == "UN" || vr == "UT";
}

std::string Encode(DicomTag tag, absl::string_view vr, std::string value) {
  std::string out = TagBytes(tag) + std::string(vr);
  out += IsLong(vr) ? LittleEndian(0, 2) + LittleEndian(value.size(), 4)
                    : LittleEndian(value.size(), 2);
  return out + value;
}

}  // namespace

DicomMaker& DicomMaker::Text(DicomTag tag, absl::string_view vr,
                             absl::string_view text) {
  std::string value(text);
  if (value.size() % 2 == 1) value += vr == "UI" ? '\0' : ' ';
  return Bytes(tag, vr, std::move(value));
}

DicomMaker& DicomMaker::Words(DicomTag tag, absl::string_view vr,
                              const std::vector<int>& words) {
  std::string value;
  for (int word : words) value += LittleEndian(static_cast<uint32_t>(word), 2);
  return Bytes(tag, vr, std::move(value));
}

DicomMaker& DicomMaker::Bytes(DicomTag tag, absl::string_view vr,
                              std::string bytes) {
  elements_[tag] = Encode(tag, vr, std::move(bytes));
  return *this;
}

DicomMaker& DicomMaker::Items(DicomTag tag,
                              const std::vector<DicomMaker>& items) {
  std::string value;
  for (const DicomMaker& item : items) {
    const std::string bytes = item.DataSet();
    value += TagBytes(0xfffee000) + LittleEndian(bytes.size(), 4) + bytes;
  }
  return Bytes(tag, "SQ", std::move(value));
}

DicomMaker& DicomMaker::Fragments(const std::vector<std::string>& fragments) {
  std::string out = TagBytes(kPixelDataTag) + "OB" + LittleEndian(0, 2) +
                    LittleEndian(0xffffffff, 4);
  for (const std::string& fragment : fragments) {
    out += TagBytes(0xfffee000) + LittleEndian(fragment.size(), 4) + fragment;
  }
  elements_[kPixelDataTag] = out + TagBytes(0xfffee0dd) + LittleEndian(0, 4);
  return *this;
}

DicomMaker& DicomMaker::Remove(DicomTag tag) {
  elements_.erase(tag);
  return *this;
}

std::string DicomMaker::DataSet() const {
  std::string out;
  for (const auto& [tag, bytes] : elements_) out += bytes;
  return out;
}

std::string DicomMaker::File(absl::string_view syntax) const {
  const std::string meta =
      DicomMaker().Text(0x00020010, "UI", syntax).DataSet();
  return std::string(128, '\0') + "DICM" + meta + DataSet();
}

DicomMaker SmallChest() {
  DicomMaker maker;
  maker.Text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1")
      .Text(0x00080060, "CS", "CR")
      .Text(0x00180015, "CS", "CHEST")
      .Text(0x00185101, "CS", "AP")
      .Words(0x00280002, "US", {1})
      .Text(0x00280004, "CS", "MONOCHROME2")
      .Words(0x00280010, "US", {2})
      .Words(0x00280011, "US", {3})
      .Words(0x00280100, "US", {16})
      .Words(0x00280101, "US", {12})
      .Words(0x00280102, "US", {11})
      .Words(0x00280103, "US", {0})
      .Words(kPixelDataTag, "OW", {0, 1, 2, 1000, 2047, 4095});
  return maker;
}

std::string RleFrame(const std::vector<int>& words) {
  std::string high(1, static_cast<char>(words.size() - 1)), low = high;
  for (int word : words) {
    high.push_back(static_cast<char>(word >> 8));
    low.push_back(static_cast<char>(word & 0xff));
  }
  std::string frame(64, '\0');
  frame[0] = 2;
  frame[4] = 64;
  frame[8] = static_cast<char>(64 + high.size());
  return frame + high + low;
}

DicomMaker RleChest() {
  return SmallChest().Fragments(
      {"", RleFrame({0, 1, 2, 1000, 2047, 4095}) + std::string(1, '\0')});
}

}  // namespace hilum
