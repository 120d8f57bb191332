/** Tests put nothing on a machine, and fetch nothing from a registry, unless TEST_INSTALL=1 says so. */
export const mayInstall = process.env['TEST_INSTALL'] === '1';
