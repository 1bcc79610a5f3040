// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/app.h"

int main(int argc, char** argv) { return hilum::RunSite(argc, argv); }
