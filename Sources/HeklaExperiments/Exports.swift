// Settings, metrics and consoles are written with these words, so whoever imports experiments has them too.
@_exported import HeklaText
