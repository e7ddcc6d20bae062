import COpenCL
import Glibc
import HeklaDevices

/// OpenCL's entry points, looked up in the system's ICD loader at run time.
///
/// Nothing links against OpenCL, so a program starts on machines that have none and can say what is missing.
/// The members have the names of the specification (OpenCL 1.2), where their contracts are.
///
/// `@unchecked Sendable`: function pointers, all set once in `init`; OpenCL's functions may be called from any
/// thread, except `clSetKernelArg`, which is called on one kernel object by the one thread that made it.
final class OpenCLLoader: @unchecked Sendable {
  /// Where the loader is looked for, first to last.
  static let systemLibraries = ["libOpenCL.so.1", "libOpenCL.so"]

  /// What to do where there is no OpenCL.
  static let remedy =
    "Install the loader (Debian: ocl-icd-libopencl1) and an OpenCL driver: the GPU vendor's, or pocl-opencl-icd, "
    + "which runs on the processor."

  let clGetPlatformIDs: cl_api_clGetPlatformIDs
  let clGetPlatformInfo: cl_api_clGetPlatformInfo
  let clGetDeviceIDs: cl_api_clGetDeviceIDs
  let clGetDeviceInfo: cl_api_clGetDeviceInfo
  let clCreateContext: cl_api_clCreateContext
  let clReleaseContext: cl_api_clReleaseContext
  let clCreateCommandQueue: cl_api_clCreateCommandQueue
  let clReleaseCommandQueue: cl_api_clReleaseCommandQueue
  let clCreateBuffer: cl_api_clCreateBuffer
  let clCreateSubBuffer: cl_api_clCreateSubBuffer
  let clReleaseMemObject: cl_api_clReleaseMemObject
  let clCreateProgramWithSource: cl_api_clCreateProgramWithSource
  let clCreateProgramWithBinary: cl_api_clCreateProgramWithBinary
  let clBuildProgram: cl_api_clBuildProgram
  let clGetProgramInfo: cl_api_clGetProgramInfo
  let clGetProgramBuildInfo: cl_api_clGetProgramBuildInfo
  let clReleaseProgram: cl_api_clReleaseProgram
  let clCreateKernel: cl_api_clCreateKernel
  let clSetKernelArg: cl_api_clSetKernelArg
  let clGetKernelWorkGroupInfo: cl_api_clGetKernelWorkGroupInfo
  let clReleaseKernel: cl_api_clReleaseKernel
  let clEnqueueNDRangeKernel: cl_api_clEnqueueNDRangeKernel
  let clEnqueueReadBuffer: cl_api_clEnqueueReadBuffer
  let clEnqueueWriteBuffer: cl_api_clEnqueueWriteBuffer
  let clEnqueueMapBuffer: cl_api_clEnqueueMapBuffer
  let clEnqueueUnmapMemObject: cl_api_clEnqueueUnmapMemObject
  let clEnqueueCopyBuffer: cl_api_clEnqueueCopyBuffer
  let clEnqueueFillBuffer: cl_api_clEnqueueFillBuffer
  let clFlush: cl_api_clFlush
  let clFinish: cl_api_clFinish
  let clWaitForEvents: cl_api_clWaitForEvents
  let clGetEventInfo: cl_api_clGetEventInfo
  let clGetEventProfilingInfo: cl_api_clGetEventProfilingInfo
  let clReleaseEvent: cl_api_clReleaseEvent

  /// Opens the first library of `libraries` that there is and looks up its functions.
  ///
  /// The library stays open for the life of the process: drivers leave threads behind that run its code.
  /// - Throws: `DeviceError.unavailable` where there is none, or one older than OpenCL 1.2.
  init(libraries: [String] = systemLibraries) throws(DeviceError) {
    let symbols = try Symbols(libraries: libraries)
    clGetPlatformIDs = try symbols.function("clGetPlatformIDs")
    clGetPlatformInfo = try symbols.function("clGetPlatformInfo")
    clGetDeviceIDs = try symbols.function("clGetDeviceIDs")
    clGetDeviceInfo = try symbols.function("clGetDeviceInfo")
    clCreateContext = try symbols.function("clCreateContext")
    clReleaseContext = try symbols.function("clReleaseContext")
    clCreateCommandQueue = try symbols.function("clCreateCommandQueue")
    clReleaseCommandQueue = try symbols.function("clReleaseCommandQueue")
    clCreateBuffer = try symbols.function("clCreateBuffer")
    clCreateSubBuffer = try symbols.function("clCreateSubBuffer")
    clReleaseMemObject = try symbols.function("clReleaseMemObject")
    clCreateProgramWithSource = try symbols.function("clCreateProgramWithSource")
    clCreateProgramWithBinary = try symbols.function("clCreateProgramWithBinary")
    clBuildProgram = try symbols.function("clBuildProgram")
    clGetProgramInfo = try symbols.function("clGetProgramInfo")
    clGetProgramBuildInfo = try symbols.function("clGetProgramBuildInfo")
    clReleaseProgram = try symbols.function("clReleaseProgram")
    clCreateKernel = try symbols.function("clCreateKernel")
    clSetKernelArg = try symbols.function("clSetKernelArg")
    clGetKernelWorkGroupInfo = try symbols.function("clGetKernelWorkGroupInfo")
    clReleaseKernel = try symbols.function("clReleaseKernel")
    clEnqueueNDRangeKernel = try symbols.function("clEnqueueNDRangeKernel")
    clEnqueueReadBuffer = try symbols.function("clEnqueueReadBuffer")
    clEnqueueWriteBuffer = try symbols.function("clEnqueueWriteBuffer")
    clEnqueueMapBuffer = try symbols.function("clEnqueueMapBuffer")
    clEnqueueUnmapMemObject = try symbols.function("clEnqueueUnmapMemObject")
    clEnqueueCopyBuffer = try symbols.function("clEnqueueCopyBuffer")
    clEnqueueFillBuffer = try symbols.function("clEnqueueFillBuffer")
    clFlush = try symbols.function("clFlush")
    clFinish = try symbols.function("clFinish")
    clWaitForEvents = try symbols.function("clWaitForEvents")
    clGetEventInfo = try symbols.function("clGetEventInfo")
    clGetEventProfilingInfo = try symbols.function("clGetEventProfilingInfo")
    clReleaseEvent = try symbols.function("clReleaseEvent")
  }

  /// An open library.
  private struct Symbols {
    private let library: UnsafeMutableRawPointer
    private let name: String

    init(libraries: [String]) throws(DeviceError) {
      for name in libraries {
        guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
        self.library = library
        self.name = name
        return
      }
      throw .unavailable(
        device: "opencl", reason: "no OpenCL loader was found (\(libraries.joined(separator: ", "))).",
        remedy: OpenCLLoader.remedy)
    }

    /// The function `symbol`, as the type that the specification gives it.
    func function<Function>(_ symbol: String) throws(DeviceError) -> Function {
      guard let address = dlsym(library, symbol) else {
        throw .unavailable(
          device: "opencl",
          reason: "the OpenCL loader \(name) has no \(symbol), so it is older than OpenCL 1.2.",
          remedy: OpenCLLoader.remedy)
      }
      return unsafeBitCast(address, to: Function.self)
    }
  }
}
