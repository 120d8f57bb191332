/** The pages about the API that the service serves. */

export interface DocumentPage {
  readonly path: string;
  /** The media types; the Accept header chooses one. */
  readonly contentTypes: readonly string[];
  readonly operationId: string;
  readonly summary: string;
}

const json = 'application/json; charset=utf-8';
const html = 'text/html; charset=utf-8';

export const documentPages: readonly DocumentPage[] = [
  {
    path: '/',
    contentTypes: [json, html],
    operationId: 'getFrontPage',
    summary: 'Where the documents are',
  },
  {
    path: '/openapi.json',
    contentTypes: [json],
    operationId: 'getDescription',
    summary: 'This description',
  },
  {
    path: '/swagger/doc.json',
    contentTypes: [json],
    operationId: 'getSwaggerDescription',
    summary: 'This description, where Swagger UI looks for it',
  },
  { path: '/docs', contentTypes: [html], operationId: 'getDocs', summary: 'The reference to read' },
  {
    path: '/swagger/index.html',
    contentTypes: [html],
    operationId: 'getSwagger',
    summary: 'The reference to try out',
  },
];

/** The path of the metrics in the stored description; the service replaces it with METRICS_PATH. */
export const describedMetricsPath = '/metrics';
