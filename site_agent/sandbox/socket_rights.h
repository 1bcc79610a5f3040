// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_SOCKET_RIGHTS_H_
#define HILUM_SITE_AGENT_SANDBOX_SOCKET_RIGHTS_H_

namespace hilum {

// SO_PASSRIGHTS of asm-generic/socket.h, which older headers do not have.
inline constexpr int kPassRights = 83;

// Makes the kernel refuse every descriptor that is sent to this Unix socket
// (SCM_RIGHTS); the sender gets EPERM. Returns whether the kernel can do so
// (Linux 6.16 on).
bool RefuseDescriptors(int fd);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_SOCKET_RIGHTS_H_
