// Each row sorted, stably, and its first `kept` values and their positions written: rows of up to 1,024.
// Bindings: 0 values [rows, extent], words; 1 sorted [rows, kept]; 2 positions [rows, kept], int32.
// Constants: 0 local size; 1 capacity = 2^i >= extent; 10, 11 see order_key.glsl. Push: rows, extent, kept.
// Grid: rows groups, folded. Shared memory: 8 * capacity bytes.
// Source: Batcher, "Sorting networks and their applications", 1968; ties are broken by position.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "order_key.glsl"

layout(constant_id = 1) const uint CAPACITY = 1024;

layout(std430, set = 0, binding = 0) readonly buffer Values { uint values[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Sorted { uint sorted_values[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Positions { uint positions[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint extent;
  uint kept;
};

shared uint keys[CAPACITY];
shared uint places[CAPACITY];

void main() {
  uint row = group_index();
  uint local = gl_LocalInvocationID.x;
  bool live = row < rows;
  // What fills the row up sorts behind everything: the greatest key, and a later position.
  for (uint i = local; i < CAPACITY; i += gl_WorkGroupSize.x) {
    uint key = 0xFFFFFFFFu;
    if (live && i < extent) key = order_key(values[row * extent + i]);
    keys[i] = key;
    places[i] = i;
  }
  barrier();
  for (uint size = 2; size <= CAPACITY; size *= 2) {
    for (uint reach = size / 2; reach > 0; reach /= 2) {
      for (uint pair = local; pair < CAPACITY / 2; pair += gl_WorkGroupSize.x) {
        uint low = pair / reach * reach * 2 + pair % reach;
        uint high = low + reach;
        bool isRising = (low & size) == 0;
        bool isGreater = keys[low] > keys[high] || (keys[low] == keys[high] && places[low] > places[high]);
        if (isGreater == isRising) {
          uint key = keys[low];
          keys[low] = keys[high];
          keys[high] = key;
          uint place = places[low];
          places[low] = places[high];
          places[high] = place;
        }
      }
      barrier();
    }
  }
  if (!live) return;
  for (uint i = local; i < kept; i += gl_WorkGroupSize.x) {
    uint place = places[i];
    sorted_values[row * kept + i] = values[row * extent + place];
    positions[row * kept + i] = place;
  }
}
