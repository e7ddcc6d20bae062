/// The SPIR-V instructions that this module knows by name (SPIR-V 1.3, section 3.32).
enum SPIRVOpcode: UInt16 {
  case nop = 0, undef = 1
  case source = 3, sourceExtension = 4, name = 5, memberName = 6, string = 7, line = 8
  case `extension` = 10, extInstImport = 11, extInst = 12
  case memoryModel = 14, entryPoint = 15, executionMode = 16, capability = 17
  case typeVoid = 19, typeBool = 20, typeInt = 21, typeFloat = 22, typeVector = 23, typeMatrix = 24
  case typeImage = 25, typeSampler = 26, typeSampledImage = 27, typeArray = 28, typeRuntimeArray = 29
  case typeStruct = 30
  case typePointer = 32, typeFunction = 33
  case constantTrue = 41, constantFalse = 42, constant = 43, constantComposite = 44
  case constantNull = 46
  case specConstantTrue = 48, specConstantFalse = 49, specConstant = 50, specConstantComposite = 51
  case specConstantOp = 52
  case function = 54, functionParameter = 55, functionEnd = 56, functionCall = 57
  case variable = 59, imageTexelPointer = 60, load = 61, store = 62, copyMemory = 63, copyMemorySized = 64
  case accessChain = 65, inBoundsAccessChain = 66, ptrAccessChain = 67, arrayLength = 68
  case genericPtrMemSemantics = 69, inBoundsPtrAccessChain = 70, decorate = 71, memberDecorate = 72
  case decorationGroup = 73, groupDecorate = 74, groupMemberDecorate = 75
  case vectorExtractDynamic = 77, vectorInsertDynamic = 78, vectorShuffle = 79, compositeConstruct = 80
  case compositeExtract = 81, compositeInsert = 82, copyObject = 83, transpose = 84
  case convertFToU = 109, convertFToS = 110, convertSToF = 111, convertUToF = 112, uConvert = 113
  case sConvert = 114, fConvert = 115, quantizeToF16 = 116, convertPtrToU = 117, satConvertSToU = 118
  case satConvertUToS = 119, convertUToPtr = 120, ptrCastToGeneric = 121, genericCastToPtr = 122
  case genericCastToPtrExplicit = 123, bitcast = 124
  case sNegate = 126, fNegate = 127, iAdd = 128, fAdd = 129, iSub = 130, fSub = 131, iMul = 132
  case fMul = 133, uDiv = 134, sDiv = 135, fDiv = 136, uMod = 137, sRem = 138, sMod = 139, fRem = 140
  case fMod = 141, vectorTimesScalar = 142, matrixTimesScalar = 143, vectorTimesMatrix = 144
  case matrixTimesVector = 145, matrixTimesMatrix = 146, outerProduct = 147, dot = 148, iAddCarry = 149
  case iSubBorrow = 150, uMulExtended = 151, sMulExtended = 152
  case any = 154, all = 155, isNaN = 156, isInf = 157, isFinite = 158, isNormal = 159, signBitSet = 160
  case lessOrGreater = 161, ordered = 162, unordered = 163, logicalEqual = 164, logicalNotEqual = 165
  case logicalOr = 166, logicalAnd = 167, logicalNot = 168, select = 169, iEqual = 170, iNotEqual = 171
  case uGreaterThan = 172, sGreaterThan = 173, uGreaterThanEqual = 174, sGreaterThanEqual = 175
  case uLessThan = 176, sLessThan = 177, uLessThanEqual = 178, sLessThanEqual = 179, fOrdEqual = 180
  case fUnordEqual = 181, fOrdNotEqual = 182, fUnordNotEqual = 183, fOrdLessThan = 184
  case fUnordLessThan = 185, fOrdGreaterThan = 186, fUnordGreaterThan = 187, fOrdLessThanEqual = 188
  case fUnordLessThanEqual = 189, fOrdGreaterThanEqual = 190, fUnordGreaterThanEqual = 191
  case shiftRightLogical = 194, shiftRightArithmetic = 195, shiftLeftLogical = 196, bitwiseOr = 197
  case bitwiseXor = 198, bitwiseAnd = 199, not = 200, bitFieldInsert = 201, bitFieldSExtract = 202
  case bitFieldUExtract = 203, bitReverse = 204, bitCount = 205
  case controlBarrier = 224, memoryBarrier = 225
  case atomicLoad = 227, atomicStore = 228, atomicExchange = 229, atomicCompareExchange = 230
  case atomicCompareExchangeWeak = 231, atomicIIncrement = 232, atomicIDecrement = 233, atomicIAdd = 234
  case atomicISub = 235, atomicSMin = 236, atomicUMin = 237, atomicSMax = 238, atomicUMax = 239
  case atomicAnd = 240, atomicOr = 241, atomicXor = 242
  case phi = 245, loopMerge = 246, selectionMerge = 247, label = 248, branch = 249
  case branchConditional = 250, `switch` = 251, kill = 252, `return` = 253, returnValue = 254
  case unreachable = 255, lifetimeStart = 256, lifetimeStop = 257
  case noLine = 317
  case moduleProcessed = 330, executionModeId = 331, decorateId = 332, groupNonUniformElect = 333
  case groupNonUniformAll = 334, groupNonUniformAny = 335, groupNonUniformAllEqual = 336
  case groupNonUniformBroadcast = 337, groupNonUniformBroadcastFirst = 338, groupNonUniformBallot = 339
  case groupNonUniformInverseBallot = 340, groupNonUniformBallotBitExtract = 341
  case groupNonUniformBallotBitCount = 342, groupNonUniformBallotFindLSB = 343
  case groupNonUniformBallotFindMSB = 344, groupNonUniformShuffle = 345, groupNonUniformShuffleXor = 346
  case groupNonUniformShuffleUp = 347, groupNonUniformShuffleDown = 348, groupNonUniformIAdd = 349
  case groupNonUniformFAdd = 350, groupNonUniformIMul = 351, groupNonUniformFMul = 352
  case groupNonUniformSMin = 353, groupNonUniformUMin = 354, groupNonUniformFMin = 355
  case groupNonUniformSMax = 356, groupNonUniformUMax = 357, groupNonUniformFMax = 358
  case groupNonUniformBitwiseAnd = 359, groupNonUniformBitwiseOr = 360, groupNonUniformBitwiseXor = 361
  case groupNonUniformLogicalAnd = 362, groupNonUniformLogicalOr = 363, groupNonUniformLogicalXor = 364
  case groupNonUniformQuadBroadcast = 365, groupNonUniformQuadSwap = 366
  case copyLogical = 400
}

extension SPIRVOpcode {
  /// Whether the instruction's first words are a result type and a result id, a result id, or neither.
  var header: Header {
    switch self {
    case .nop, .source, .sourceExtension, .name, .memberName, .line, .extension, .memoryModel,
      .entryPoint, .executionMode, .capability, .functionEnd, .store, .copyMemory, .copyMemorySized,
      .decorate, .memberDecorate, .groupDecorate, .groupMemberDecorate, .controlBarrier,
      .memoryBarrier, .atomicStore, .loopMerge, .selectionMerge, .branch, .branchConditional,
      .switch, .kill, .return, .returnValue, .unreachable, .lifetimeStart, .lifetimeStop, .noLine,
      .moduleProcessed, .executionModeId, .decorateId:
      .none
    case .string, .extInstImport, .typeVoid, .typeBool, .typeInt, .typeFloat, .typeVector, .typeMatrix,
      .typeImage, .typeSampler, .typeSampledImage, .typeArray, .typeRuntimeArray, .typeStruct,
      .typePointer, .typeFunction, .decorationGroup, .label:
      .result
    default: .typedResult
    }
  }

  /// What an instruction starts with.
  enum Header {
    case none, result, typedResult
  }

  /// The instruction's name in the specification, such as `OpIAdd`.
  var specificationName: String {
    let name = "\(self)"
    return "Op" + name.prefix(1).uppercased() + name.dropFirst()
  }
}
