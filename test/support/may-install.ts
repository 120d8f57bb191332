/** Tests install nothing and download nothing from a registry unless TEST_INSTALL=1. */
export const mayInstall = process.env['TEST_INSTALL'] === '1';
