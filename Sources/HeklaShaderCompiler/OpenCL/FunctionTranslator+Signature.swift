import HeklaDevices

extension FunctionTranslator {
  /// The function's head, and the whole of it.
  func translateFunction() throws(DeviceError) -> (head: String, body: String) {
    var parameters = isKernel ? program.kernelParameters : try program.captureParameters(of: function.id)
    for parameter in function.parameters {
      let name = names.unique(module.names[parameter.result] ?? "parameter")
      if let (storage, type) = module.pointer(parameter.type) {
        guard storage == .function else {
          throw refusal.unsupported(
            "a function with a pointer to a buffer or shared memory", "Use the variable in the function.")
        }
        parameters.append("\(try types.name(type)) *\(name)")
        variableNames[parameter.result] = "(*\(name))"
        pointers[parameter.result] = Pointer(
          variable: parameter.result, storage: storage, variableType: type, type: type)
      } else {
        parameters.append("const \(try types.name(parameter.type)) \(name)")
        bind(parameter.result, OpenCLExpression(name, module.numeric(parameter.type)))
      }
    }
    let list = parameters.isEmpty ? "void" : parameters.joined(separator: ", ")
    let head: String
    if isKernel {
      let size = program.workgroupSize
      head = """
        __kernel __attribute__((reqd_work_group_size(\(size.x), \(size.y), \(size.z))))
        void \(program.entryPoint)(\(list))
        """
    } else {
      let name = program.functionNames[function.id] ?? ""
      head = "\(try types.name(function.resultType)) \(name)(\(list))"
    }
    var body = try translateBody()
    let declarations = body.sink(declarations)
    let globals = isKernel ? try program.kernelDeclarations() : []
    let lines =
      (globals + declarations.map(\.text)).map { "  \($0);" } + OpenCLStatement.lines(body, depth: 1)
    return (head, "\(head) {\n\(lines.joined(separator: "\n"))\n}")
  }
}
