import CHostLoops
import HeklaArrays
import HeklaDevices

/// Compiles a list of instructions to the parts of a `Stage`.
///
/// First every needed instruction becomes an operation on virtual registers, or vanishes: constants are
/// computed here, values that are the same over a block move to the uniform code, conversions that change
/// nothing are names for their operand. Then virtual registers get real ones, as few as the order of the
/// operations allows; what is stored to consecutive memory as it is gets no register at all.
struct StageParts {
  let storage = PlainStorage()
  let outerExtents: [Int]
  let blockExtents: [Int]
  private(set) var blockSize = 0
  private(set) var uniformSources: [Stage.Source] = []
  private(set) var uniformCode: [HostInstruction] = []
  let rowLength: Int
  private(set) var inPlaceRowSources: [Stage.Source] = []
  private(set) var filledRowSources: [Stage.Source] = []
  private(set) var rowCode: [HostInstruction] = []
  private(set) var columnSources: [Stage.Source] = []
  private(set) var rowsSlot = 0
  private(set) var inPlaceSources: [Stage.Source] = []
  private(set) var filledSources: [Stage.Source] = []
  private(set) var code: [HostInstruction] = []
  private(set) var directTargets: [Stage.Target] = []
  private(set) var spilledTargets: [Stage.Target] = []
  private(set) var outputs: [Stage.Output] = []
  private(set) var slots: [Stage.SlotKind] = []
  private(set) var startCount = 0
  private(set) var frameByteCount = 0
  private(set) var nanosecondsPerPoint = 0.0

  /// The result of an instruction.
  private struct Value {
    var slot: Int
    var rate: Space.Rate
    var type: HostType
  }

  private let library: BlockLibrary
  private let space: Space
  private let nest: Nest
  private let loop: Loop
  private var values: [Value?]
  private var readSlots: [Int: Value] = [:]
  private var coordinateSlots: [Int: Value] = [:]
  /// Slots of varying values that wait for a register, with their element size.
  private var virtualRegisters: [Int: Int] = [:]
  /// Slots of values of rows that wait for memory, with their element size.
  private var rowRegisters: [(slot: Int, byteCount: Int)] = []
  /// The same value over a whole block, for slots where it holds for less.
  private var repeatedSlots: [Int: Int] = [:]
  private let accumulators: [Value]

  /// Compiles `instructions` over `space`.
  ///
  /// - Parameters:
  ///   - outputs: The instructions whose values the caller reads from their slots, each over the whole block.
  ///   - writes: Whether the loop's writes are done by this stage.
  init(
    _ instructions: [Loop.Instruction], of loop: Loop, nest: Nest, space: Space, outputs outputIndices: [Int],
    writes: Bool, library: BlockLibrary
  ) throws(DeviceError) {
    self.library = library
    self.space = space
    self.nest = nest
    self.loop = loop
    outerExtents = space.outerAxes.map { space.extents[$0] }
    blockExtents = space.blockAxes.map { space.extents[$0] }
    rowLength = space.rowLength
    values = [Value?](repeating: nil, count: instructions.count)
    // Slots of accumulators come first, so that callers know them: number i is slot i.
    if writes, !loop.accumulators.isEmpty {
      accumulators = loop.accumulators.enumerated().map { position, accumulator in
        let isArgument = accumulator.fold == .argumentMaximum || accumulator.fold == .argumentMinimum
        return Value(
          slot: position, rate: .varying, type: isArgument ? HOST_INT32 : HostType(accumulator.type))
      }
      slots = accumulators.map { _ in .variable }
    } else {
      accumulators = []
    }
    if rowLength > 0 { rowsSlot = addUniform() }
    let roots = outputIndices + (writes ? loop.writes.map(\.value) : [])
    guard roots.allSatisfy(instructions.indices.contains) else {
      throw Self.malformed("a write or accumulator names an instruction that does not exist")
    }
    var isNeeded = [Bool](repeating: false, count: instructions.count)
    for root in roots { isNeeded[root] = true }
    for index in instructions.indices.reversed() where isNeeded[index] {
      guard case .apply(_, let operands, _) = instructions[index] else { continue }
      for operand in operands {
        guard operand >= 0, operand < index else {
          throw Self.malformed("instruction \(index) has operand \(operand), which is no earlier instruction")
        }
        isNeeded[operand] = true
      }
    }
    for index in instructions.indices where isNeeded[index] { values[index] = try lower(instructions[index]) }
    for index in outputIndices {
      guard let value = values[index] else { continue }
      let varying = makeVarying(value)
      outputs.append(Stage.Output(slot: varying.slot, type: varying.type))
    }
    var stored: [(Stage.Target, Value)] = []
    if writes {
      for (position, write) in loop.writes.enumerated() {
        guard let value = values[write.value] else { continue }
        stored.append(try target(write, pattern: nest.writes[position], value: value))
      }
    }
    assignRegisters(stored)
  }

  private static func malformed(_ reason: String) -> DeviceError {
    .invalidArgument(call: "LoopKernel.source", reason: "the loop is malformed: \(reason).")
  }

  // MARK: Instructions

  private mutating func lower(_ instruction: Loop.Instruction) throws(DeviceError) -> Value {
    switch instruction {
    case .constant(let number, let type): return constant(number, type)
    case .read(let index):
      guard loop.reads.indices.contains(index) else { throw Self.malformed("there is no read \(index)") }
      return read(index)
    case .coordinate(let axis):
      guard let pattern = nest.coordinates[axis] else { throw Self.malformed("there is no axis \(axis)") }
      return coordinate(axis, pattern)
    case .accumulator(let index):
      guard accumulators.indices.contains(index) else {
        throw Self.malformed("accumulator \(index) is not there, or used outside of the epilogue")
      }
      return accumulators[index]
    case .apply(let operation, let operands, let type): return try apply(operation, operands, type)
    }
  }

  private mutating func constant(_ number: Double, _ type: ElementType) -> Value {
    let array = HostArray(converting: [number], shape: [], to: type)
    let wide: HostArray =
      switch type {
      case .float16, .bfloat16: array.converted(to: .float32)
      case .uint8: array.converted(to: .uint32)
      default: array
      }
    let memory = storage.bytes(64)
    wide.withUnsafeBytes {
      memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count)
    }
    return Value(slot: add(.constant(memory)), rate: .constant, type: HostType(type))
  }

  /// - Parameter isOfRows: Whether the walk goes from row to row.
  private mutating func access(_ pattern: Nest.Pattern, isOfRows: Bool = false) -> Access {
    defer { startCount += 1 + pattern.guards.count }
    return Access(
      pattern, extents: space.extents, outerAxes: space.outerAxes,
      blockAxes: isOfRows ? Array(space.blockAxes.dropLast()) : space.blockAxes,
      isTiled: space.isTiled, startSlot: startCount, storage: storage)
  }

  private mutating func read(_ index: Int) -> Value {
    if let known = readSlots[index] { return known }
    let read = loop.reads[index]
    let type = HostType(read.elementType)
    let storageKind = HostStorage(read.elementType)
    let pattern = nest.reads[index]
    let rate = space.rate(of: pattern)
    let isColumn = rate == .column && storageKind.isPlain
    let access = access(pattern, isOfRows: rate == .row)
    var source = Stage.Source(
      access: access, binding: read.binding, slot: 0, memoryByteCount: read.elementType.byteCount,
      registerByteCount: type.byteCount, fill: library.fill(storageKind))
    let value: Value
    if rate == .uniform {
      value = Value(slot: addUniform(), rate: .uniform, type: type)
      source.slot = value.slot
      uniformSources.append(source)
    } else if rate == .row {
      let isInPlace = access.isContiguous && storageKind.isPlain
      value = isInPlace ? Value(slot: add(.variable), rate: .row, type: type) : addRow(type)
      source.slot = value.slot
      if isInPlace { inPlaceRowSources.append(source) } else { filledRowSources.append(source) }
      nanosecondsPerPoint += 0.5 / Double(rowLength)
    } else if isColumn {
      value = Value(slot: add(.variable), rate: .column, type: type)
      source.slot = value.slot
      columnSources.append(source)
      nanosecondsPerPoint += 0.02 * Double(type.byteCount)
    } else if access.isContiguous, storageKind.isPlain {
      value = Value(slot: add(.variable), rate: .varying, type: type)
      source.slot = value.slot
      inPlaceSources.append(source)
      nanosecondsPerPoint += 0.02 * Double(type.byteCount)
    } else {
      value = addVarying(type)
      source.slot = value.slot
      filledSources.append(source)
      nanosecondsPerPoint += access.isContiguous ? 0.1 : 0.5
    }
    readSlots[index] = value
    return value
  }

  private mutating func coordinate(_ axis: Int, _ pattern: Nest.Pattern) -> Value {
    if let known = coordinateSlots[axis] { return known }
    let rate = space.rate(of: pattern)
    let access = access(pattern, isOfRows: rate == .row)
    let value =
      switch rate {
      case .uniform: Value(slot: addUniform(), rate: .uniform, type: HOST_INT32)
      case .row: addRow(HOST_INT32)
      default: addVarying(HOST_INT32)
      }
    let source = Stage.Source(
      access: access, binding: -1, slot: value.slot, memoryByteCount: 4, registerByteCount: 4,
      fill: library.fill(HOST_STORAGE_32))
    switch rate {
    case .uniform: uniformSources.append(source)
    case .row: filledRowSources.append(source)
    default: filledSources.append(source)
    }
    coordinateSlots[axis] = value
    return value
  }

  private mutating func apply(
    _ operation: ScalarOperation, _ operands: [Int], _ type: ElementType
  ) throws(DeviceError) -> Value {
    guard operands.count == operation.arity else {
      throw Self.malformed("\(operation) has \(operands.count) operands")
    }
    var arguments: [Value] = []
    for operand in operands { if let value = values[operand] { arguments.append(value) } }
    let result = HostType(type)
    switch operation {
    case .convert: return convert(arguments[0], to: type)
    case .bitcast:
      guard arguments[0].type.byteCount == result.byteCount else {
        throw Self.malformed("bitcast between types of different size")
      }
      return Value(slot: arguments[0].slot, rate: arguments[0].rate, type: result)
    case .isNaN where arguments[0].type != HOST_FLOAT32 && arguments[0].type != HOST_FLOAT64:
      return constant(0, .bool)
    default: break
    }
    let operandType = operation == .select ? arguments[1].type : arguments[0].type
    guard let blockOperation = HostOperation(operation) else {
      throw Self.malformed("\(operation) is unknown")
    }
    let typed = operation == .select ? arguments[1...] : arguments[0...]
    guard typed.allSatisfy({ $0.type == operandType }) else {
      throw Self.malformed("the operands of \(operation) have different types")
    }
    guard library.function(blockOperation, operandType, uniform: 0) != nil else {
      throw DeviceError.unsupported(
        device: "cpu", feature: "\(operation) giving \(type)",
        remedy: "Convert the operands to float32 first.")
    }
    // From here on the function exists at least for blocks of all operands.
    return call(
      arguments, result, cost: operation.nanoseconds(of: operandType),
      byRows: { library, operand in library.function(blockOperation, operandType, operand) }
    ) { library, mask in
      library.function(blockOperation, operandType, uniform: mask)
    }
  }

  /// `value` as `type`: one or two steps, or none.
  private mutating func convert(_ value: Value, to type: ElementType) -> Value {
    var value = value
    let target = HostType(type)
    let source = value.type
    if source != target, library.conversion(from: source, to: target) != nil {
      value = call([value], target, cost: 0.05) { library, mask in
        mask == 0 ? library.conversion(from: source, to: target) : nil
      }
    }
    let storageKind = HostStorage(type)
    if library.rounding(storageKind) != nil {
      value = call([value], target, cost: 0.05) { library, mask in
        mask == 0 ? library.rounding(storageKind) : nil
      }
    }
    return value
  }

  /// Adds a call whose function `find` gives for a mask of uniform operands.
  ///
  /// - Parameters:
  ///   - cost: Nanoseconds of one element.
  ///   - findByRows: Gives the function for two operands of which one is by row or by column.
  private mutating func call(
    _ arguments: [Value], _ result: HostType, cost: Double,
    byRows findByRows: (BlockLibrary, HostRowOperand) -> HostBlockFunction? = { _, _ in nil },
    _ find: (BlockLibrary, Int) -> HostBlockFunction?
  ) -> Value {
    let rate: Space.Rate =
      arguments.allSatisfy { $0.rate == .constant }
      ? .constant
      : arguments.contains { $0.rate == .varying || $0.rate == .column }
        ? .varying : arguments.contains { $0.rate == .row } ? .row : .uniform
    if rate == .constant || rate == .uniform {
      // Over one element, an operand that is one element is a block.
      guard let function = find(library, 0) else { return arguments[0] }
      let value = Value(
        slot: rate == .constant ? add(.constant(storage.bytes(64))) : addUniform(), rate: rate, type: result)
      let step = HostInstruction(function, value.slot, arguments.map(\.slot))
      if rate == .uniform { uniformCode.append(step) } else { step.run(on: slots, sparing: storage.spare) }
      return value
    }
    nanosecondsPerPoint += rate == .row ? cost / Double(rowLength) : cost
    if rate == .varying, let value = callByRows(arguments, result, findByRows) { return value }
    var mask = 0
    for (position, argument) in arguments.enumerated()
    where argument.rate == .constant || argument.rate == .uniform { mask |= 1 << position }
    var arguments = arguments
    for position in arguments.indices where mask >> position & 1 == 0 && arguments[position].rate != rate {
      arguments[position] = makeVarying(arguments[position])
    }
    var function = find(library, mask)
    // Where no function takes just these operands as one element, they are repeated over a block, last first.
    for position in arguments.indices.reversed() where function == nil && mask >> position & 1 == 1 {
      arguments[position] = rate == .row ? makeRow(arguments[position]) : makeVarying(arguments[position])
      mask &= ~(1 << position)
      function = find(library, mask)
    }
    guard let function else { return arguments[0] }
    let value = rate == .row ? addRow(result) : addVarying(result)
    let step = HostInstruction(function, value.slot, arguments.map(\.slot))
    if rate == .row { rowCode.append(step) } else { code.append(step) }
    return value
  }

  /// A call of a function that takes one of two operands by row or by column, if there is one.
  private mutating func callByRows(
    _ arguments: [Value], _ result: HostType, _ find: (BlockLibrary, HostRowOperand) -> HostBlockFunction?
  ) -> Value? {
    guard arguments.count == 2 else { return nil }
    // Of a row and a column the one by row is repeated, so that the other is found in place.
    let isByRows = arguments.map { $0.rate == .row || $0.rate == .column }
    guard let other = isByRows[1] && arguments[1].rate != .row ? 1 : isByRows[0] ? 0 : isByRows[1] ? 1 : nil
    else { return nil }
    let isRow = arguments[other].rate == .row
    let operand =
      other == 1
      ? isRow ? HOST_SECOND_BY_ROW : HOST_SECOND_BY_COLUMN
      : isRow ? HOST_FIRST_BY_ROW : HOST_FIRST_BY_COLUMN
    guard arguments[1 - other].rate != .constant, arguments[1 - other].rate != .uniform,
      let function = find(library, operand)
    else { return nil }
    let block = makeVarying(arguments[1 - other])
    let value = addVarying(result)
    code.append(HostInstruction(function, value.slot, [block.slot, arguments[other].slot, rowsSlot]))
    return value
  }

  /// `value` as a block.
  private mutating func makeVarying(_ value: Value) -> Value {
    if value.rate == .varying { return value }
    if let known = repeatedSlots[value.slot] { return Value(slot: known, rate: .varying, type: value.type) }
    let block = addVarying(value.type)
    switch value.rate {
    case .column:
      if var source = columnSources.first(where: { $0.slot == value.slot }) {
        source.slot = block.slot
        filledSources.append(source)
      }
    case .row: code.append(HostInstruction(library.spread(value.type), block.slot, [value.slot, rowsSlot]))
    default:
      code.append(HostInstruction(library.splat(value.type), block.slot, [value.slot]))
      return block
    }
    repeatedSlots[value.slot] = block.slot
    return block
  }

  /// A constant or uniform value as one element per row.
  private mutating func makeRow(_ value: Value) -> Value {
    let row = addRow(value.type)
    rowCode.append(HostInstruction(library.splat(value.type), row.slot, [value.slot]))
    return row
  }

  private mutating func add(_ kind: Stage.SlotKind) -> Int {
    slots.append(kind)
    return slots.count - 1
  }

  private mutating func addUniform() -> Int {
    defer { frameByteCount += 64 }
    return add(.frame(frameByteCount))
  }

  private mutating func addVarying(_ type: HostType) -> Value {
    let slot = add(.variable)
    virtualRegisters[slot] = type.byteCount
    return Value(slot: slot, rate: .varying, type: type)
  }

  private mutating func addRow(_ type: HostType) -> Value {
    let slot = add(.variable)
    rowRegisters.append((slot, type.byteCount))
    return Value(slot: slot, rate: .row, type: type)
  }

  // MARK: Writes and registers

  private mutating func target(
    _ write: Loop.Write, pattern: Nest.Pattern, value: Value
  ) throws(DeviceError) -> (Stage.Target, Value) {
    var value = value
    if value.type != HostType(write.elementType) {
      value = convert(value, to: write.elementType)
      guard value.type == HostType(write.elementType) else {
        throw Self.malformed("a write cannot be converted")
      }
    }
    value = makeVarying(value)
    if loop.writes.count > 1 { copyToRegister(value) }
    nanosecondsPerPoint += 0.02 * Double(write.elementType.byteCount)
    let target = Stage.Target(
      access: access(pattern), binding: write.binding, slot: value.slot,
      memoryByteCount: write.elementType.byteCount, registerByteCount: value.type.byteCount,
      spill: library.spill(HostStorage(write.elementType)))
    if !target.access.isContiguous { nanosecondsPerPoint += 0.5 }
    return (target, value)
  }

  /// Makes a source that is used in place one that is copied to a register, if `value` is one.
  ///
  /// Of several writes one may go to the memory that another one copies from.
  private mutating func copyToRegister(_ value: Value) {
    guard let position = inPlaceSources.firstIndex(where: { $0.slot == value.slot }) else { return }
    filledSources.append(inPlaceSources.remove(at: position))
    virtualRegisters[value.slot] = value.type.byteCount
  }

  private mutating func assignRegisters(_ stored: [(Stage.Target, Value)]) {
    let isInPlace = Set(inPlaceSources.map(\.slot))
    let lastInPlaceUse =
      code.lastIndex { step in step.operandSlots.contains { isInPlace.contains($0) } } ?? -1
    let outputSlots = Set(outputs.map(\.slot))
    var producer: [Int: Int] = [:]
    for (index, step) in code.enumerated() { producer[Int(step.result)] = index }

    // Memory that a result goes to may be memory that a later step still reads, so a result is stored by the
    // step that computes it only if no later step reads memory.
    for (target, value) in stored {
      let isFirstUse = virtualRegisters[value.slot] != nil && !outputSlots.contains(value.slot)
      let isPlain = target.memoryByteCount == target.registerByteCount
      let isLate: Bool
      if let step = producer[value.slot] {
        isLate = step >= lastInPlaceUse
      } else {
        isLate = filledSources.count == 1 && inPlaceSources.isEmpty
      }
      if isFirstUse, isPlain, isLate, target.access.isContiguous {
        virtualRegisters[value.slot] = nil
        directTargets.append(target)
      } else {
        spilledTargets.append(target)
      }
    }

    let registers = RegisterAssignment(
      virtualRegisters, of: code, filled: filledSources.map(\.slot),
      kept: outputSlots.union(spilledTargets.map(\.slot)))

    // Blocks are as long as keeps the registers within half of a first-level cache of 48 KiB.
    let bytesPerPoint = registers.sizes.reduce(0, +) + 8 * (inPlaceSources.count + directTargets.count) / 2
    blockSize = min(max(24_576 / max(bytesPerPoint, 1) / 64 * 64, 128), 2_048)
    // Whole rows: what holds for a row is found once, and rows are read and written where they lie.
    let row =
      space.keepsRowsWhole && blockExtents.count > 1 ? blockExtents[blockExtents.count - 1] : rowLength
    if 1...blockSize ~= row { blockSize -= blockSize % row }
    let firstByte = (frameByteCount + 63) / 64 * 64
    var offsets: [Int] = []
    var end = firstByte
    for size in registers.sizes {
      offsets.append(end)
      end += (size * blockSize + 127) / 64 * 64
    }
    // A block that begins within a row meets one row more.
    let rowCount = rowLength > 0 ? blockSize / rowLength + 2 : 0
    for (slot, size) in rowRegisters {
      slots[slot] = .frame(end)
      end += (size * rowCount + 127) / 64 * 64
    }
    frameByteCount = end
    for (slot, register) in registers.ofSlots { slots[slot] = .frame(offsets[register]) }
  }
}
