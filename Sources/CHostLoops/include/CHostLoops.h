#pragma once
#include "CHostBlocks.h"
#include "CHostConvolutions.h"
#include "CHostThreads.h"
#include "CHostProducts.h"
