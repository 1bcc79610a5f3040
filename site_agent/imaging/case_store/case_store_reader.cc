// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/case_store/case_store_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

absl::Status InFile(const absl::Status& status, absl::string_view path,
                    uint64_t offset) {
  return absl::Status(status.code(), absl::StrCat(path, ": at byte ", offset,
                                                  ": ", status.message()));
}

}  // namespace

std::optional<CaseEntry> ParseCaseEntry(absl::string_view path) {
  const size_t hash = path.rfind('#');
  if (hash == absl::string_view::npos) return std::nullopt;
  CaseEntry entry{std::string(path.substr(0, hash)),
                  std::string(path.substr(hash + 1))};
  if (!IsCaseId(entry.case_id)) return std::nullopt;
  if (entry.store.empty()) entry.store = std::string(".");
  return entry;
}

absl::StatusOr<CaseStoreReader> CaseStoreReader::Open(
    const std::string& folder) {
  CaseStoreReader reader;
  reader.folder_ = folder;
  const std::string shards = absl::StrCat(folder, "/shards");
  std::error_code error;
  std::filesystem::directory_iterator files(shards, error), end;
  std::vector<std::string> paths;
  for (; !error && files != end; files.increment(error)) {
    if (files->path().extension() == ".shard") paths.push_back(files->path());
  }
  if (error) {
    return ErrnoStatus(error.value(), "no case store of hilum-ingest", shards);
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    HILUM_RETURN_IF_ERROR(reader.AddShard(path));
  }
  return reader;
}

absl::Status CaseStoreReader::AddShard(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  const absl::string_view bytes = file.bytes();
  uint64_t at = 0;
  while (bytes.size() - at >= kRecordHeaderBytes) {
    auto header = DecodeRecordHeader(bytes.substr(at, kRecordHeaderBytes));
    if (absl::IsDataLoss(header.status())) {
      damage_.push_back(InFile(header.status(), path, at));
      break;
    }
    if (!header.ok()) return InFile(header.status(), path, at);
    const uint64_t payload = at + kRecordHeaderBytes;
    if (header->payload_bytes > bytes.size() - payload) break;
    at = payload + header->payload_bytes;
    std::string id = header->case_id;
    places_.insert_or_assign(
        std::move(id), Place{shards_.size(), payload, *std::move(header)});
  }
  paths_.push_back(path);
  shards_.push_back(std::move(file));
  return absl::OkStatus();
}

std::vector<std::string> CaseStoreReader::CaseIds() const {
  std::vector<std::string> ids;
  for (const auto& [id, place] : places_) ids.push_back(id);
  return ids;
}

bool CaseStoreReader::HasLungs(absl::string_view case_id) const {
  auto found = places_.find(case_id);
  return found != places_.end() && found->second.header.segmented_rows > 0;
}

absl::StatusOr<CaseRecord> CaseStoreReader::Read(
    absl::string_view case_id) const {
  auto found = places_.find(case_id);
  if (found == places_.end()) {
    if (!damage_.empty()) return damage_.front();
    return absl::NotFoundError(
        absl::StrCat(folder_, ": no case ", case_id,
                     "; `hilum-ingest list` shows those there are"));
  }
  const Place& place = found->second;
  auto record = DecodeCaseRecord(
      place.header, shards_[place.shard].bytes().substr(
                        place.payload, place.header.payload_bytes));
  if (record.ok()) return record;
  return InFile(record.status(), paths_[place.shard], place.payload);
}

absl::StatusOr<Plane> ResizePlane(const PlaneView& plane, int size) {
  if (plane.rows <= 0 || plane.columns <= 0) {
    return absl::InvalidArgumentError("the plane is empty");
  }
  GrayImage image{plane.rows, plane.columns, {}};
  image.pixels.reserve(plane.pixels.size());
  for (uint16_t v : plane.pixels) {
    image.pixels.push_back(static_cast<float>(v) / 65535.0f);
  }
  const GrayImage resized = ResizeImage(image, size, size);
  Plane out(resized.pixels.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const float v = std::clamp(resized.pixels[i], 0.0f, 1.0f);
    out[i] = static_cast<uint16_t>(std::lrint(v * 65535.0f));
  }
  return out;
}

}  // namespace hilum
