/** The pages about the API that the service itself serves. */

export interface DocumentPage {
  readonly path: string;
  /** As the Accept header decides, where there are several. */
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

/** Where the description has the metrics; the service puts METRICS_PATH in its place. */
export const describedMetricsPath = '/metrics';
