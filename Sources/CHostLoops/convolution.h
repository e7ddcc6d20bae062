// The convolution of one plane in one element type, included with REAL and NAME(x) defined.

CLONES static void NAME(spread)(REAL *restrict to, const REAL *restrict from, REAL weight, long count) {
  for (long i = 0; i < count; i++) to[i] += weight * from[i];
}

CLONES static void NAME(spread_strided)(REAL *restrict to, long to_step, const REAL *restrict from, long from_step,
                                        REAL weight, long count) {
  for (long i = 0; i < count; i++) to[i * to_step] += weight * from[i * from_step];
}

// The order of the sum is the compiler's, and the same in every run.
CLONES static double NAME(dot)(const REAL *restrict x, long x_step, const REAL *restrict y, long count) {
#pragma clang fp reassociate(on)
  REAL sum = 0;
  if (x_step == 1)
    for (long i = 0; i < count; i++) sum += x[i] * y[i];
  else
    for (long i = 0; i < count; i++) sum += x[i * x_step] * y[i];
  return sum;
}

void NAME(host_convolve_plane)(HostPlaneDirection direction, const HostPlaneWindows *windows, void *input,
                               void *weights, void *output) {
  const long *in = windows->input, *out = windows->output, *taps = windows->kernel;
  const long step = windows->stride[2];
  for (long oz = 0; oz < out[0]; oz++)
    for (long oy = 0; oy < out[1]; oy++) {
      REAL *y = (REAL *)output + (oz * out[1] + oy) * out[2];
      for (long kz = 0; kz < taps[0]; kz++) {
        const long iz = oz * windows->stride[0] + kz * windows->dilation[0] - windows->before[0];
        if (iz < 0 || iz >= in[0]) continue;
        for (long ky = 0; ky < taps[1]; ky++) {
          const long iy = oy * windows->stride[1] + ky * windows->dilation[1] - windows->before[1];
          if (iy < 0 || iy >= in[1]) continue;
          for (long kx = 0; kx < taps[2]; kx++) {
            // The outputs of the row whose input exists.
            const long shift = kx * windows->dilation[2] - windows->before[2];
            const long first = shift >= 0 ? 0 : (-shift + step - 1) / step;
            const long room = in[2] - 1 - shift;
            long last = room < 0 ? 0 : room / step + 1;
            if (last > out[2]) last = out[2];
            if (first >= last) continue;
            REAL *x = (REAL *)input + (iz * in[1] + iy) * in[2] + first * step + shift;
            const long tap = (kz * taps[1] + ky) * taps[2] + kx;
            const long count = last - first;
            if (direction == HOST_PLANE_WEIGHTS)
              ((double *)weights)[tap] += NAME(dot)(x, step, y + first, count);
            else if (step == 1 && direction == HOST_PLANE_OUTPUT)
              NAME(spread)(y + first, x, ((const REAL *)weights)[tap], count);
            else if (step == 1)
              NAME(spread)(x, y + first, ((const REAL *)weights)[tap], count);
            else if (direction == HOST_PLANE_OUTPUT)
              NAME(spread_strided)(y + first, 1, x, step, ((const REAL *)weights)[tap], count);
            else
              NAME(spread_strided)(x, step, y + first, 1, ((const REAL *)weights)[tap], count);
          }
        }
      }
    }
}

#undef REAL
#undef NAME
