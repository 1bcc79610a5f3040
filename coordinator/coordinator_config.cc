// SPDX-License-Identifier: Apache-2.0
#include "coordinator/coordinator_config.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/needed_fields.h"
#include "common/config/yaml.h"

namespace hilum {

absl::StatusOr<v1::CoordinatorConfig> LoadCoordinatorConfig(
    const std::string& path) {
  v1::CoordinatorConfig config;
  HILUM_RETURN_IF_ERROR(LoadYamlFile(path, &config));
  v1::Tls& tls = *config.mutable_tls();
  HILUM_RETURN_IF_ERROR(
      CheckNeededFields(config, path,
                        {"listen", "state_dir", "tls.authority",
                         "tls.certificate", "tls.private_key"}));
  const std::string base = std::filesystem::absolute(path).parent_path();
  for (std::string* value :
       {config.mutable_state_dir(), tls.mutable_authority(),
        tls.mutable_certificate(), tls.mutable_private_key(),
        config.mutable_address_file()}) {
    if (!value->empty()) *value = ResolvePath(base, *value);
  }
  return config;
}

std::string AdminSocket(const v1::CoordinatorConfig& config) {
  return absl::StrCat(config.state_dir(), "/admin.sock");
}

}  // namespace hilum
