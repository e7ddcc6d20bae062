// What the Fourier transforms share: complex rows [rows, n, 2] and the powers of e^(-2 pi i / n), [n, 2].

layout(constant_id = 1) const bool INVERSE = false;

layout(std430, set = 0, binding = 0) readonly buffer Source { SCALAR source[]; };
layout(std430, set = 0, binding = 1) readonly buffer Roots { SCALAR roots[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Result { SCALAR result[]; };
