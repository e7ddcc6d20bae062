/// A type of a SPIR-V module; parts are given by id.
enum SPIRVType: Hashable {
  case void
  case bool
  case integer(width: Int, isSigned: Bool)
  case float(width: Int)
  case vector(component: UInt32, count: Int)
  case matrix(column: UInt32, count: Int)
  case array(element: UInt32, length: UInt32)
  case runtimeArray(element: UInt32)
  case structure(members: [UInt32])
  case pointer(SPIRVStorageClass, pointee: UInt32)
  case function(result: UInt32, parameters: [UInt32])
  /// A type that only other instructions than those translated here use.
  case other(code: UInt16)
}

/// Where a variable lives (SPIR-V 1.3, section 3.7).
enum SPIRVStorageClass: UInt32 {
  case uniformConstant = 0
  case input = 1
  case uniform = 2
  case workgroup = 4
  case `private` = 6
  case function = 7
  case pushConstant = 9
  case storageBuffer = 12
  case physicalStorageBuffer = 5349
}

/// The decorations that this module reads (SPIR-V 1.3, section 3.20).
enum SPIRVDecoration: UInt32 {
  case specializationID = 1
  case block = 2
  case bufferBlock = 3
  case rowMajor = 4
  case columnMajor = 5
  case arrayStride = 6
  case matrixStride = 7
  case builtIn = 11
  case nonWritable = 24
  case binding = 33
  case descriptorSet = 34
  case offset = 35
  case noContraction = 42
}

/// The built-in variables of compute shaders that can be translated (SPIR-V 1.3, section 3.21).
enum SPIRVBuiltIn: UInt32 {
  case workgroupCount = 24
  case workgroupSize = 25
  case workgroupID = 26
  case localInvocationID = 27
  case globalInvocationID = 28
  case localInvocationIndex = 29
}
