// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_MODEL_PICKLE_GLOBALS_H_
#define HILUM_COMMON_MODEL_PICKLE_GLOBALS_H_

#include "absl/strings/string_view.h"

namespace hilum {

// What a pickle may do with a name.
enum class GlobalUse {
  kRefused,  // of Python's own library, and not on the list
  kRecord,   // any other: the class of a record, or a mere name
  kInert,    // as kRecord; a call of it is a record too, which nobody makes
  kCall,     // on the list: with arguments it stands for a value
  kDict,     // on the list: with arguments it stands for a dict
  kSet,      // on the list: with arguments it stands for a set
};

// That nothing is ever run does not rest on this: it is so that a file that
// would harm Python is refused with the name of what it wanted to run.
GlobalUse UseOfGlobal(absl::string_view module, absl::string_view name);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_PICKLE_GLOBALS_H_
