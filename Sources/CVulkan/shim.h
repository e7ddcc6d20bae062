// Vulkan's types only: every entry point is looked up in the loader at run time.
#pragma once
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>
