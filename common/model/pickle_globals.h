// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_MODEL_PICKLE_GLOBALS_H_
#define HILUM_COMMON_MODEL_PICKLE_GLOBALS_H_

#include "absl/strings/string_view.h"

namespace hilum {

// How a pickle may use a global name.
enum class GlobalUse {
  kRefused,  // of Python's own library and not on the list
  kRecord,   // any other name: the class of a record, or only a name
  kInert,    // as kRecord; a call of it is a record too, never made
  kCall,     // on the list: with arguments it stands for a value
  kDict,     // on the list: with arguments it stands for a dict
  kSet,      // on the list: with arguments it stands for a set
};

// Returns how a pickle may use the global. Safety does not depend on this,
// since nothing is ever run: it lets the error name the global of a harmful
// file.
GlobalUse UseOfGlobal(absl::string_view module, absl::string_view name);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_PICKLE_GLOBALS_H_
