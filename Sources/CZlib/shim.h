// zlib, for gzip-compressed data files (zlib1g-dev on Debian and Ubuntu).
#pragma once
#include <zlib.h>
