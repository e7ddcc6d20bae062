import HeklaDevices

struct OpenCLProgram: Sendable {
  let text: String
  let entryPoint: String
  let bindings: [Int]
  let pushConstantByteCount: Int
  let workgroupSize: GroupCount
  let sharedMemoryByteCount: Int
  let digest: String
}
