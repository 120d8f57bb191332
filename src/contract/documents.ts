/** The pages about the API that the service itself serves. */

export interface DocumentPage {
  readonly path: string;
  readonly contentType: string;
  readonly operationId: string;
  readonly summary: string;
}

const json = 'application/json; charset=utf-8';
const html = 'text/html; charset=utf-8';

export const documentPages: readonly DocumentPage[] = [
  {
    path: '/openapi.json',
    contentType: json,
    operationId: 'getDescription',
    summary: 'This description',
  },
  {
    path: '/swagger/doc.json',
    contentType: json,
    operationId: 'getSwaggerDescription',
    summary: 'This description, where Swagger UI looks for it',
  },
  { path: '/docs', contentType: html, operationId: 'getDocs', summary: 'The reference to read' },
  {
    path: '/swagger/index.html',
    contentType: html,
    operationId: 'getSwagger',
    summary: 'The reference to try out',
  },
];
