#pragma once
#include "CHostThreads.h"
#include "CHostProducts.h"
