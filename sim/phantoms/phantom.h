// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_PHANTOMS_PHANTOM_H_
#define HILUM_SIM_PHANTOMS_PHANTOM_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hilum {

// Properties of a site's X-ray machine: brightness and noise.
struct Acquisition {
  double gamma = 1;
  double gain = 1;
  double offset = 0;
  double noise = 0.02;  // standard deviation at mid gray
};

// Returns the machine of the site with this index, from 0.
Acquisition AcquisitionOf(int site);

struct PhantomRequest {
  uint64_t seed;
  uint64_t patient;   // equal numbers have equal anatomy
  uint64_t exposure;  // tells films of one patient apart
  std::string label;
  int site;
  int size;  // pixels, square
};

// A drawn chest radiograph, not an image of a person. With phantoms everything
// can be tried and tested without patients' data.
struct Phantom {
  int size;
  std::vector<uint16_t> pixels;  // [size * size]
  std::vector<uint8_t> mask;     // [size * size], 255 in the lungs, else 0
};

// Draws a phantom; a pure function of the request.
Phantom DrawPhantom(const PhantomRequest& request);

}  // namespace hilum

#endif  // HILUM_SIM_PHANTOMS_PHANTOM_H_
