// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/socket_rights.h"

#include <sys/socket.h>

namespace hilum {

bool RefuseDescriptors(int fd) {
  const int none = 0;
  return setsockopt(fd, SOL_SOCKET, kPassRights, &none, sizeof(none)) == 0;
}

}  // namespace hilum
