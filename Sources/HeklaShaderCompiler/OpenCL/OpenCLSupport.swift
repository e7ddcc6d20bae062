/// Functions that a program brings along where OpenCL C 1.2 has none.
enum OpenCLSupport: Hashable {
  case bitFieldInsert, bitFieldExtract, bitReverse, signedModulo, fromHalf, toHalf

  /// The function's name for operands of type `type`.
  func name(_ type: NumericType) -> String {
    switch self {
    case .bitFieldInsert: "hekla_insert_bits_\(type.name)"
    case .bitFieldExtract: "hekla_extract_bits_\(type.name)"
    case .bitReverse: "hekla_reverse_bits_\(type.name)"
    case .signedModulo: "hekla_modulo_\(type.name)"
    case .fromHalf: "hekla_from_half\(type.count == 1 ? "" : "\(type.count)")"
    case .toHalf: "hekla_to_half\(type.count == 1 ? "" : "\(type.count)")"
    }
  }

  /// The function's text for operands of type `type`.
  func definition(_ type: NumericType) -> String {
    let name = name(type)
    let t = type.name
    let u = type.unsigned.name
    let cast = { (target: String, text: String) in
      type.count == 1 ? "(\(target))(\(text))" : "as_\(target)(\(text))"
    }
    switch self {
    case .bitFieldInsert:
      return """
        \(t) \(name)(\(t) base, \(t) insert, uint offset, uint count) {
          const uint mask = count == 0u ? 0u : 0xffffffffu >> (32u - count) << offset;
          return (base & ~(\(t))mask) | ((insert << offset) & (\(t))mask);
        }
        """
    case .bitFieldExtract:
      return """
        \(t) \(name)(\(t) base, uint offset, uint count) {
          if (count == 0u) return (\(t))0;
          const \(u) top = \(type.kind == .unsigned ? "base" : cast(u, "base")) << (32u - offset - count);
          return \(type.kind == .unsigned ? "top" : cast(t, "top")) >> (\(t))(32u - count);
        }
        """
    case .bitReverse:
      return """
        \(t) \(name)(\(t) x) {
          x = ((x >> 1) & 0x55555555u) | ((x & 0x55555555u) << 1);
          x = ((x >> 2) & 0x33333333u) | ((x & 0x33333333u) << 2);
          x = ((x >> 4) & 0x0f0f0f0fu) | ((x & 0x0f0f0f0fu) << 4);
          x = ((x >> 8) & 0x00ff00ffu) | ((x & 0x00ff00ffu) << 8);
          return (x >> 16) | (x << 16);
        }
        """
    case .signedModulo:
      let isOther =
        type.count == 1 ? "rest != 0 && (rest < 0) != (y < 0)" : "rest != 0 & (rest < 0) != (y < 0)"
      let adjusted = type.count == 1 ? "\(isOther) ? rest + y : rest" : "select(rest, rest + y, \(isOther))"
      return """
        \(t) \(name)(\(t) x, \(t) y) {
          const \(t) rest = x % y;
          return \(adjusted);
        }
        """
    case .fromHalf:
      let bits = type.count == 1 ? "ushort" : "ushort\(type.count)"
      let load = type.count == 1 ? "vload_half" : "vload_half\(type.count)"
      return """
        \(t) \(name)(\(bits) bits) {
          return \(load)(0, (const half *)&bits);
        }
        """
    case .toHalf:
      let bits = type.count == 1 ? "ushort" : "ushort\(type.count)"
      let store = type.count == 1 ? "vstore_half_rte" : "vstore_half\(type.count)_rte"
      return """
        \(bits) \(name)(\(t) x) {
          \(bits) bits;
          \(store)(x, 0, (half *)&bits);
          return bits;
        }
        """
    }
  }
}
