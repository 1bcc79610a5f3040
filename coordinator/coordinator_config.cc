// SPDX-License-Identifier: Apache-2.0
#include "coordinator/coordinator_config.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/yaml.h"

namespace hilum {

absl::StatusOr<v1::CoordinatorConfig> LoadCoordinatorConfig(
    const std::string& path) {
  v1::CoordinatorConfig config;
  HILUM_RETURN_IF_ERROR(LoadYamlFile(path, &config));
  v1::Tls& tls = *config.mutable_tls();
  const std::pair<const char*, const std::string*> needed[] = {
      {"listen", &config.listen()},
      {"state_dir", &config.state_dir()},
      {"tls.authority", &tls.authority()},
      {"tls.certificate", &tls.certificate()},
      {"tls.private_key", &tls.private_key()}};
  for (const auto& [field, value] : needed) {
    if (value->empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": '", field, "' is missing"));
    }
  }
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
