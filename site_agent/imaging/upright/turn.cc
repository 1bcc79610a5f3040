// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/upright/turn.h"

#include "absl/strings/str_cat.h"

namespace hilum {

int IndexOf(const Turn& turn) {
  return turn.quarters + (turn.mirrored ? 4 : 0);
}

Turn TurnOfIndex(int index) { return {index % 4, index >= 4}; }

Turn Then(const Turn& first, const Turn& second) {
  // Mirroring after a turn equals the opposite turn after mirroring.
  const int quarters = second.mirrored ? 4 - first.quarters : first.quarters;
  return {(quarters + second.quarters) % 4, first.mirrored != second.mirrored};
}

Turn Undoing(const Turn& turn) {
  if (turn.mirrored) return turn;
  return {(4 - turn.quarters) % 4, false};
}

std::string NameOf(const Turn& turn) {
  if (turn == Turn{}) return "upright";
  std::string name = turn.mirrored ? "mirrored" : "";
  if (turn.quarters == 0) return name;
  if (turn.mirrored) name += " and ";
  absl::StrAppend(&name, "turned by ", 90 * turn.quarters, " degrees");
  if (turn.quarters != 2) name += " clockwise";
  return name;
}

}  // namespace hilum
