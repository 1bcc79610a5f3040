// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "common/cli/log_stream.h"
#include "site_agent/ingest/network/listen.h"

namespace hilum {

void AddReceivingOptions(CLI::App& command, ReceivingOptions& receiving,
                         std::string& ae_title, TlsFiles& tls) {
  command.add_option("--store", receiving.store, "The case store's folder")
      ->required();
  command.add_option("--ae-title", ae_title, "This application's title")
      ->capture_default_str();
  command.add_option("--labels", receiving.labels,
                     "CSV: label, and PatientID, StudyInstanceUID, "
                     "AccessionNumber or SOPInstanceUID");
  command.add_option("--words", receiving.words,
                     "Your own words for chest, AP, PA ...: lines such as "
                     "`ap: bettaufnahme`; the store keeps them");
  command.add_option("--key", receiving.key_file,
                     "Patients' key; default STORE/patient.key");
  command.add_option("--spool", receiving.incoming,
                     "Folder for received objects; default STORE/incoming");
  command.add_option("--tls-cert", tls.certificate, "PEM, this side's");
  command.add_option("--tls-key", tls.key, "PEM, its private key");
  command.add_option("--tls-ca", tls.authority,
                     "PEM: authority that signed the peers' certificates");
}

void AddListenCommand(CLI::App& app, IngestAction& action) {
  auto options = std::make_shared<ListenOptions>();  // shared with the callback
  CLI::App* command = app.add_subcommand(
      "listen", "Take what a PACS or modality sends (DICOM C-STORE)");
  options->receiving.actor = "listen";
  AddReceivingOptions(*command, options->receiving, options->ae_title,
                      options->tls);
  command->add_option("--port", options->port, "0: any that is free")
      ->required()
      ->check(CLI::Range(0, 65535));
  command
      ->add_option("--bind", options->bind,
                   "IPv4 address of this machine to listen on; 0.0.0.0: all of "
                   "them")
      ->capture_default_str();
  command->add_option("--allow", options->allow,
                      "AET or AET@HOST that may send; again for more. Without: "
                      "this machine, with TLS all with a certificate");
  command->footer(
      "Example: hilum-ingest listen --store /data/cases --port 11112 --bind "
      "10.1.2.3 --allow PACS@pacs.hospital.example");
  command->callback([options, &action] {
    action = [options] {
      LogStream log;
      return Listen(*options, log);
    };
  });
}

}  // namespace hilum
