#pragma once

// The convolution of single planes, for depthwise convolutions: one channel with one feature.

#pragma clang assume_nonnull begin

/// What is computed from the other two.
typedef enum HostPlaneDirection { HOST_PLANE_OUTPUT, HOST_PLANE_INPUT, HOST_PLANE_WEIGHTS } HostPlaneDirection;

/// How windows lie on a plane; output `o` and tap `k` meet input `o * stride + k * dilation - before`, per axis.
typedef struct HostPlaneWindows {
  long input[3];
  long kernel[3];
  long output[3];
  long stride[3];
  long dilation[3];
  long before[3];
} HostPlaneWindows;

/// Adds to the result the products that `direction` says, of one plane each, in an order that the extents fix.
/// Weights that are the result are always double.
void host_convolve_plane_float32(HostPlaneDirection direction, const HostPlaneWindows *windows, void *input,
                                 void *weights, void *output);
void host_convolve_plane_float64(HostPlaneDirection direction, const HostPlaneWindows *windows, void *input,
                                 void *weights, void *output);

#pragma clang assume_nonnull end
