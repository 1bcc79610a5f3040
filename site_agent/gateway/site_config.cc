// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_config.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/key_file.h"
#include "common/base/status_macros.h"
#include "common/config/needed_fields.h"
#include "common/config/yaml.h"
#include "site_agent/gateway/trusted_peers.h"

namespace hilum {

absl::StatusOr<v1::SiteConfig> LoadSiteConfig(const std::string& path) {
  v1::SiteConfig config;
  FieldPlaces places(path);
  HILUM_RETURN_IF_ERROR(LoadYamlFile(path, &config, &places));
  v1::Tls& tls = *config.mutable_tls();
  HILUM_RETURN_IF_ERROR(CheckNeededFields(
      config, path,
      {"coordinator", "state_dir", "manifest", "tls.authority",
       "tls.certificate", "tls.private_key"}));
  if (config.coordinator().find(':') == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": 'coordinator' is '",
                                                   config.coordinator(),
                                                   "', must be host:port"));
  }
  HILUM_RETURN_IF_ERROR(CheckPolicyFields(config.policy(), places));
  std::string base = std::filesystem::absolute(path).parent_path();
  config.set_state_dir(
      std::filesystem::path(ResolvePath(base, config.state_dir()))
          .lexically_normal());
  if (config.patient_key_file().empty()) {
    config.set_patient_key_file(
        absl::StrCat(config.state_dir(), "/patient.key"));
  }
  for (std::string* value :
       {config.mutable_manifest(), tls.mutable_authority(),
        tls.mutable_certificate(), tls.mutable_private_key(),
        config.mutable_patient_key_file()}) {
    *value = ResolvePath(base, *value);
  }
  std::string& trainer = *config.mutable_trainer()->mutable_binary();
  if (trainer.empty()) {
    trainer = std::filesystem::read_symlink("/proc/self/exe").parent_path() /
              "hilum-trainer";
  } else {
    trainer = ResolvePath(base, trainer);
  }
  return config;
}

absl::StatusOr<std::string> LoadPatientKey(const std::string& path,
                                           SecureRng& rng) {
  return ReadOrMakeKeyFile(path, "the patients' key",
                           [&](absl::Span<uint8_t> bytes) { rng.Fill(bytes); });
}

}  // namespace hilum
