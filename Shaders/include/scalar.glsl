// The type a kernel computes in. Defines: SCALAR and VECTOR choose it (float and vec4, or double and dvec4);
// with VECTORS, buffers are read and written four elements at a time, as ELEMENT.

#ifndef SCALAR
#define SCALAR float
#define VECTOR vec4
#endif

#ifdef VECTORS
#define ELEMENT VECTOR
#else
#define ELEMENT SCALAR
#endif
