// `import Hekla` gives the whole library.
@_exported import HeklaArrays
@_exported import HeklaData
@_exported import HeklaDevices
@_exported import HeklaNN
@_exported import HeklaRuntime
@_exported import HeklaTensors
