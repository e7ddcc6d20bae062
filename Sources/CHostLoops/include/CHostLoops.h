#pragma once
#include "CHostBlocks.h"
#include "CHostThreads.h"
#include "CHostProducts.h"
