// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CLI_LOG_STREAM_H_
#define HILUM_COMMON_CLI_LOG_STREAM_H_

#include <ostream>
#include <streambuf>
#include <string>

namespace hilum {

// A stream whose lines go to the log (Log in common/cli/service.h), for code
// that writes to a stream. A line goes there at its end. One thread at a time.
class LogStream : public std::ostream {
 public:
  LogStream() : std::ostream(&buffer_) {}

 private:
  class Buffer : public std::streambuf {
   protected:
    int_type overflow(int_type c) override;

   private:
    std::string line_;
  };
  Buffer buffer_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_LOG_STREAM_H_
