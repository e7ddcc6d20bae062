// Grids of any length: the host folds a row of groups into x, y and z, none longer than 65,535, and a kernel
// unfolds it here. The fold may leave groups over; every kernel checks its index against its extent.

// This workgroup's place in the row of groups.
uint group_index() {
  return gl_WorkGroupID.x + gl_NumWorkGroups.x * (gl_WorkGroupID.y + gl_NumWorkGroups.y * gl_WorkGroupID.z);
}

// This invocation's place in the row of invocations.
uint invocation_index() {
  return group_index() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
}
