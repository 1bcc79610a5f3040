// SPDX-License-Identifier: Apache-2.0
// HILUM_CHECK finds bugs of this program: it ends the process, in release
// builds too. Input from a peer, a file or a configuration must never reach it.
#ifndef HILUM_COMMON_BASE_CHECK_H_
#define HILUM_COMMON_BASE_CHECK_H_

namespace hilum {

[[noreturn]] void CheckFailed(const char* file, int line, const char* what);

}  // namespace hilum

#define HILUM_CHECK(condition) \
  ((condition) ? (void)0 : ::hilum::CheckFailed(__FILE__, __LINE__, #condition))

#endif  // HILUM_COMMON_BASE_CHECK_H_
