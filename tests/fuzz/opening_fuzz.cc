// SPDX-License-Identifier: Apache-2.0
// Fuzzes the opening of a sum of five sites, one of which was lost: replaces it
// with the bytes or merges them into it, flips a byte, or doubles, removes or
// moves an entry of one of its lists. An opening that is still accepted gives
// the sum of the sites' vectors.
#include <memory>
#include <set>
#include <string>

#include "common/secagg/opening.h"
#include "google/protobuf/message.h"
#include "tests/common/secagg/cohort.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Returns the one sum that all inputs share.
Cohort& DoneSum() {
  static Cohort& cohort = []() -> Cohort& {
    Cohort& made = *new Cohort(5);
    made.Leave(Consortium::Site(4), Cohort::Step::kMaskedInput);
    HILUM_CHECK(made.Run().ok());
    return made;
  }();
  return cohort;
}

const v1::SumOpening& HonestOpening() {
  static const v1::SumOpening& opening =
      *new v1::SumOpening(DoneSum().server().Open().value());
  return opening;
}

void ChangeList(FuzzInput& input, Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  const google::protobuf::Reflection& lists = *message.GetReflection();
  const int size = lists.FieldSize(message, field);
  if (size == 0) return;
  const int change = input.Byte() % 3;
  const int at = input.Byte() % size, other = input.Byte() % size;
  if (change == 0) {
    if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      const Message& entry = lists.GetRepeatedMessage(message, field, at);
      std::unique_ptr<Message> copy(entry.New());
      copy->CopyFrom(entry);
      lists.AddMessage(&message, field)->CopyFrom(*copy);
    } else {
      lists.AddString(&message, field,
                      lists.GetRepeatedString(message, field, at));
    }
    return;
  }
  lists.SwapElements(&message, field, at, change == 1 ? size - 1 : other);
  if (change == 1) lists.RemoveLast(&message, field);
}

void ChangeSomeList(FuzzInput& input, v1::SumOpening& opening) {
  switch (input.Byte() % 5) {
    case 0:
      return ChangeList(input, *opening.mutable_roster(), "entries");
    case 1:
      return ChangeList(input, *opening.mutable_confirmations(), "entries");
    case 2:
      return ChangeList(input, opening, "survivors");
    case 3:
      return ChangeList(input, opening, "lost");
    default:
      return ChangeList(input, opening, "sharers");
  }
}

void Change(FuzzInput& input, v1::SumOpening& opening) {
  switch (input.Byte() % 4) {
    case 0:
      opening.ParseFromString(input.Rest());
      return;
    case 1:
      opening.MergeFromString(input.Text());
      return;
    case 2: {
      std::string bytes = opening.SerializeAsString();
      if (bytes.empty()) return;
      const size_t at = static_cast<size_t>(input.Byte()) << 8 | input.Byte();
      bytes[at % bytes.size()] ^= static_cast<char>(input.Byte());
      opening.ParseFromString(bytes);
      return;
    }
    default:
      ChangeSomeList(input, opening);
  }
}

void TryOpening(const v1::SumOpening& opening) {
  const Cohort& cohort = DoneSum();
  const bool accepted =
      CheckOpening(cohort.context(), Consortium::Get().verifier(), opening)
          .ok();
  const bool has_claims = ClaimsOf(opening).ok();
  HILUM_CHECK(StatementOf(cohort.context(), opening).ok() == has_claims);
  const bool has_masks = LeftoverMasks(cohort.context(), opening).ok();
  if (!accepted) return;
  HILUM_CHECK(has_claims && has_masks);
  std::set<SiteId> survivors;
  for (int i = 0; i < 4; ++i) survivors.insert(Consortium::Site(i));
  HILUM_CHECK(cohort.SumAfter(opening).value() == cohort.PlainSum(survivors));
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hilum::FuzzInput input(data, size);
  hilum::v1::SumOpening opening = hilum::HonestOpening();
  while (!input.empty()) hilum::Change(input, opening);
  hilum::TryOpening(opening);
  return 0;
}
