// SPDX-License-Identifier: Apache-2.0
// Fuzzes the messages that can leave; the first byte says which one. A message
// that may leave may also leave in its serialised form.
#include <memory>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/secagg.pb.h"
#include "site_agent/gateway/egress.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

std::vector<const Descriptor*> Outbound() {
  std::vector<const Descriptor*> types = {
      v1::RoundKeys::descriptor(), v1::SealedShares::descriptor(),
      v1::Confirmation::descriptor(), v1::RevealedShares::descriptor()};
  const auto& calls = *v1::NextTaskRequest::descriptor()->file()->service(0);
  for (int i = 0; i < calls.method_count(); ++i) {
    types.push_back(calls.method(i)->input_type());
  }
  return types;
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  static const std::vector<const Descriptor*>& types =
      *new std::vector<const Descriptor*>(Outbound());
  FuzzInput input(data, size);
  const Message& type =
      *google::protobuf::MessageFactory::generated_factory()->GetPrototype(
          types[input.Byte() % types.size()]);
  std::unique_ptr<Message> message(type.New());
  if (!message->ParseFromString(input.Rest())) return 0;
  if (!CheckEgress(*message).ok()) return 0;
  const std::string bytes = message->SerializeAsString();
  std::unique_ptr<Message> sent(type.New());
  HILUM_CHECK(sent->ParseFromString(bytes) && CheckEgress(*sent).ok());
  HILUM_CHECK(sent->SerializeAsString() == bytes);
  return 0;
}
