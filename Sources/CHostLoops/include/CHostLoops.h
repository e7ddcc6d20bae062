#pragma once
#include "CHostThreads.h"
