// SPDX-License-Identifier: Apache-2.0
#include "coordinator/app.h"

int main(int argc, char** argv) { return hilum::RunCoordinator(argc, argv); }
