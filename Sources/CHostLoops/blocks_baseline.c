// The blocks with what every processor of the architecture has.
#define HOST_HAS_HALF 0
#define HOST_HAS_SCALE 0
#define HOST_LEVEL_NAME "baseline"
#define HOST_LIBRARY host_blocks_baseline
#include "blocks/library.h"
