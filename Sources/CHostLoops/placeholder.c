#include "CHostLoops.h"
