// SPDX-License-Identifier: Apache-2.0
#include "common/cli/log_stream.h"

#include "common/cli/service.h"

namespace hilum {

LogStream::Buffer::int_type LogStream::Buffer::overflow(int_type c) {
  if (c == traits_type::eof()) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  if (byte == '\n') {
    Log(line_);
    line_.clear();
  } else {
    line_.push_back(byte);
  }
  return c;
}

}  // namespace hilum
