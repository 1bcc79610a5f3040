// SPDX-License-Identifier: Apache-2.0
// Fuzzes a shard of a case store, as a bad disk or an attacker may have left
// it: any bytes, or bytes with digests that are made to match, so that their
// sizes are believed. A record that can be read is whole, reads the same when
// written again, and can be used.
#include <stdlib.h>

#include <filesystem>

#include "common/crypto/sha256.h"
#include "site_agent/imaging/case_store/case_record.h"
#include "site_agent/imaging/case_store/case_store_reader.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

constexpr size_t kPayloadSha = 64, kHeaderSha = 96;  // docs/ingest.md

void Use(const CaseRecord& record) {
  const auto pixels = [](const PlaneView& plane) {
    return static_cast<size_t>(plane.rows) * static_cast<size_t>(plane.columns);
  };
  HILUM_CHECK(IsCaseId(record.case_id) && record.whole.rows > 0);
  HILUM_CHECK(record.whole.pixels.size() == pixels(record.whole));
  HILUM_CHECK(record.segmented.pixels.size() == pixels(record.segmented));
  HILUM_CHECK(record.lungs.size() ==
              (record.segmented.rows > 0 ? (pixels(record.whole) + 7) / 8 : 0));
  HILUM_CHECK(ResizePlane(record.whole, 8)->size() == 64);
  HILUM_CHECK(ResizePlane(record.segmented, 8).ok() ==
              (record.segmented.rows > 0));
  const std::string again = EncodeCaseRecord(record);
  const absl::string_view bytes = again;
  const auto header =
      DecodeRecordHeader(bytes.substr(0, kRecordHeaderBytes)).value();
  const CaseRecord same =
      DecodeCaseRecord(header, bytes.substr(kRecordHeaderBytes)).value();
  HILUM_CHECK(same.whole.pixels == record.whole.pixels &&
              same.segmented.pixels == record.segmented.pixels &&
              same.lungs == record.lungs);
}

// Reads the store that has this one shard.
void ReadStore(absl::string_view shard) {
  static const std::string* const folder = [] {
    char name[] = "/dev/shm/hilum_case_record_fuzz_XXXXXX";
    HILUM_CHECK(mkdtemp(name) != nullptr);
    std::filesystem::create_directories(absl::StrCat(name, "/shards"));
    static const struct Remover {
      std::string folder;
      ~Remover() { std::filesystem::remove_all(folder); }
    } remover{name};
    return new std::string(name);
  }();
  HILUM_CHECK(WriteFileAtomically(absl::StrCat(*folder, "/shards/0001.shard"),
                                  shard, Durability::kNone)
                  .ok());
  const auto reader = CaseStoreReader::Open(*folder);
  if (!reader.ok()) return;
  for (const std::string& id : reader->CaseIds()) {
    const auto record = reader->Read(id);
    if (record.ok()) Use(*record);
  }
}

// Returns the shard with the first record's digests recomputed.
std::string WithDigests(std::string shard) {
  if (shard.size() < kRecordHeaderBytes) return shard;
  const absl::string_view bytes = shard;
  shard.replace(kPayloadSha, 32, Sha256Of(bytes.substr(kRecordHeaderBytes)));
  shard.replace(kHeaderSha, 32,
                Sha256Of(absl::string_view(shard).substr(0, kHeaderSha)));
  return shard;
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string shard = hilum::FuzzInput(data, size).Rest();
  hilum::ReadStore(shard);
  hilum::ReadStore(hilum::WithDigests(shard));
  return 0;
}
